// What a request asks of a kernel gateway: the closed grammar from method and path to an
// operation, and back to the one target that goes upstream (domain 8.1, G1, R16).
//
// Paths here are what remains after the endpoint's prefix was stripped. Kernel paths are matched
// whole, made of unreserved characters (RFC 3986 section 2.3); '%', "//", dot segments, ';' and '\'
// anywhere in a path are kBadRequest, also for other paths, as is every byte that RFC 3986 section
// 3.3 does not allow in one. Ids match \w+-\w+-\w+-\w+-\w+ within 64 bytes, as gateways route them
// (J14). Nothing of the path is copied but parts that matched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace kg::kernel {

// Metric label values (operation_name) are those of EMR (domain E17) plus our own.
enum class Operation : uint8_t {
  kListKernelSpecs,
  kGetKernelSpec,
  kGetKernelSpecResource,
  kListKernels,
  kCreateKernel,
  kGetKernel,
  kDeleteKernel,
  kInterruptKernel,
  kRestartKernel,
  kConnectKernel,
  kListSessions,  // of notebooks, see notebook_session.h; answered out of kernel operations
  kCreateSession,
  kGetSession,
  kPatchSession,
  kDeleteSession,
  kGetVersion,  // GET /api, answered by the proxy
  kOther,       // a path outside the kernel API, relayed only with other_paths: forward
  kLocal,       // answered by the proxy itself: health, and requests that reached no operation
};
inline constexpr uint8_t kOperationCount = static_cast<uint8_t>(Operation::kLocal) + 1;
// "CreateKernel"; kOther is "Other", kLocal "Local".
std::string_view operation_name(Operation operation) noexcept;
std::optional<Operation> operation_named(std::string_view name) noexcept;

struct KernelRequest {
  Operation operation = Operation::kOther;
  std::string_view kernel_id;    // kernel operations but list and create
  std::string_view notebook_id;  // session operations but list and create
  std::string_view spec_name;    // GetKernelSpec, GetKernelSpecResource
  std::string_view resource;    // GetKernelSpecResource: the rest of the path, '/' between segments
  std::string_view path;        // kOther: the whole path
  std::string_view user;        // kernel specs: of whom; not from the request
  std::string_view session_id;  // ConnectKernel: where the request names none; not from it
};

// A session operation, or GetVersion.
bool is_of_notebooks(Operation operation) noexcept;
// A kernel id as gateways route it (J14).
bool is_kernel_id(std::string_view text) noexcept;
// The name of a kernel spec: letters, digits and ._- within 128 bytes.
bool is_spec_name(std::string_view text) noexcept;

// kBadRequest for an ambiguous path, kMethodNotAllowed for a known path with another method (HEAD
// counts as GET). Any other well-formed path is kOther, except below /api/kernels,
// /api/kernelspecs, /kernelspecs and /api/sessions, where it is kNoOperation.
Result<KernelRequest> parse_operation(http::Method method, std::string_view path);
// The same where an endpoint has no sessions of notebooks: kNoOperation for theirs, because
// gateways start kernels there that are nobody's (J10), and /api is a path like others.
Result<KernelRequest> without_notebooks(const KernelRequest& request, std::string_view path);

// For a 405 (RFC 9110 section 15.5.6): the methods that the path takes, "GET, HEAD, DELETE". Those
// of all paths for "", when a request names none: CONNECT, an asterisk.
std::string allowed_methods(std::string_view path);

// Appends the origin-form target. The query is an allow-list by decoded name: `session_id`
// for ConnectKernel, re-encoded, the first one, only if it decodes to 1 to 256 bytes, else
// request.session_id if that is not ""; `user` for
// ListKernelSpecs and GetKernelSpec is request.user (J10a); for kOther all but `token` and names
// that do not decode. Everything else, `token` in any spelling first of all, stays here (J6, G2).
// Here and below parameters end at '&' and at ';': some gateways' parsers split there too.
void append_target(const KernelRequest& request, std::string_view query, std::string& out);

// The `token` parameter of a query, decoded; empty if there is none or it does not decode.
// kBadRequest for several that differ.
Result<std::string> token_parameter(std::string_view query);

// The query with values of secret parameters replaced, for logs: "session_id=x&token=REDACTED".
// Secret is what has a telling word in name or value, and what does not decode.
std::string redacted_query(std::string_view query);

}  // namespace kg::kernel
