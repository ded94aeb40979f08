// Paths and queries: what is regenerated means the same operation and can mean nothing else (R16).
#include <array>
#include <string>

#include "proxy/base/ascii.h"
#include "proxy/kernel/operation.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using http::Method;
using kernel::KernelRequest;
using kernel::Operation;

constexpr std::array kMethods{Method::kGet,    Method::kHead,  Method::kPost,
                              Method::kDelete, Method::kPut,   Method::kOptions,
                              Method::kOther,  Method::kPatch, Method::kConnect};

bool is_unambiguous(std::string_view path) {
  for (const std::string_view trap : {"%", "//", ";", "\\", "?", "#"}) {
    if (path.find(trap) != std::string_view::npos) return false;
  }
  for (const char c : path) {
    if (c <= ' ' || c >= 0x7f) return false;
  }
  // Dot segments are whole segments: "a..b" is a name.
  const std::string closed = std::string(path) + "/";
  return path.starts_with("/") && closed.find("/../") == std::string::npos &&
         closed.find("/./") == std::string::npos;
}

template <class Visit>
void for_each_parameter(std::string_view query, Visit&& visit) {
  while (!query.empty()) {
    const size_t end = query.find_first_of("&;");
    const std::string_view parameter = query.substr(0, end);
    visit(ascii::form_decode(parameter.substr(0, parameter.find('='))));
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  }
}

void check_target(Method method, const KernelRequest& request, std::string_view query) {
  std::string target;
  kernel::append_target(request, query, target);
  const size_t mark = target.find('?');
  const std::string_view path = std::string_view(target).substr(0, mark);
  const std::string_view sent =
      mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
  KG_ASSERT(is_unambiguous(path));
  const Result<KernelRequest> again = kernel::parse_operation(method, path);
  KG_ASSERT(again.has_value() && again->operation == request.operation);
  KG_ASSERT(again->kernel_id == request.kernel_id && again->notebook_id == request.notebook_id);
  KG_ASSERT(again->spec_name == request.spec_name);
  KG_ASSERT(again->resource == request.resource && again->path == request.path);
  for_each_parameter(sent, [&](const std::optional<std::string>& name) {
    KG_ASSERT(name.has_value() && *name != "token");
    if (request.operation == Operation::kConnectKernel) KG_ASSERT(*name == "session_id");
  });
  const bool may_ask =
      request.operation == Operation::kConnectKernel || request.operation == Operation::kOther;
  KG_ASSERT(may_ask || mark == std::string::npos);
  std::string twice;
  kernel::append_target(*again, sent, twice);
  KG_ASSERT(twice == target);
}

}  // namespace

// One byte for the method, then path?query.
void run(std::string_view input) {
  const Method method = kMethods[choose(input, kMethods.size())];
  const size_t mark = std::min(input.find('?'), input.size());
  const std::string_view path = input.substr(0, mark);
  const std::string_view query = input.substr(std::min(mark + 1, input.size()));
  const Result<KernelRequest> request = kernel::parse_operation(method, path);
  if (request) {
    KG_ASSERT(is_unambiguous(path));
    check_target(method, *request, query);
  } else if (request.error().code == ErrorCode::kMethodNotAllowed) {
    KG_ASSERT(!kernel::allowed_methods(path).empty());
  } else {
    KG_ASSERT(kernel::allowed_methods(path).empty() || path.empty());
  }
  const std::string shown = kernel::redacted_query(query);
  const Result<std::string> left = kernel::token_parameter(shown);
  KG_ASSERT(left && (left->empty() || *left == "REDACTED"));
}

}  // namespace kg::fuzz
