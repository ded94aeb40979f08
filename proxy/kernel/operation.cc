#include "proxy/kernel/operation.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace kg::kernel {
namespace {

constexpr size_t kIdBytesMax = 64;
constexpr size_t kNameBytesMax = 128;  // of a spec, and of one segment of a resource

// What a byte may be part of. 0: no path at all.
enum : unsigned char { kPathByte = 1, kUnreserved = 2, kNameByte = 4, kWordByte = 8 };

constexpr std::array<unsigned char, 256> make_byte_classes() {
  std::array<unsigned char, 256> classes{};
  const auto add = [&classes](std::string_view bytes, unsigned char bits) {
    for (const char c : bytes) classes[static_cast<unsigned char>(c)] |= bits;
  };
  // pchar of RFC 3986 section 3.3 without '%' and ';'.
  add("!$&'()*+,=:@/", kPathByte);
  add("~", kPathByte | kUnreserved);
  add(".-", kPathByte | kUnreserved | kNameByte);
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_",
      kPathByte | kUnreserved | kNameByte | kWordByte);
  return classes;
}
constexpr std::array<unsigned char, 256> kByteClasses = make_byte_classes();

constexpr bool is(char c, unsigned char bit) noexcept {
  return (kByteClasses[static_cast<unsigned char>(c)] & bit) != 0;
}

// Nothing in it that two parsers may read differently.
bool is_unambiguous(std::string_view path) noexcept {
  if (path.empty() || path.front() != '/') return false;
  size_t segment = 1;  // where the present segment begins
  for (size_t i = 1; i <= path.size(); ++i) {
    if (i < path.size() && path[i] != '/') {
      if (!is(path[i], kPathByte)) return false;
      continue;
    }
    const std::string_view text = path.substr(segment, i - segment);
    if (text == "." || text == ".." || (text.empty() && i < path.size())) return false;
    segment = i + 1;
  }
  return true;
}

bool is_name(std::string_view text, unsigned char bytes) noexcept {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::all_of(text.begin(), text.end(), [bytes](char c) { return is(c, bytes); });
}

using Rest = std::optional<std::string_view>;  // of the path; nullopt: it ended without a slash

// Cuts the first segment off; nullopt when nothing is left. "a/" is "a" and then "".
std::optional<std::string_view> next_segment(Rest& rest) noexcept {
  if (!rest) return std::nullopt;
  const size_t slash = rest->find('/');
  const std::string_view segment = rest->substr(0, slash);
  if (slash == std::string_view::npos) {
    rest.reset();
  } else {
    rest->remove_prefix(slash + 1);
  }
  return segment;
}

// Removes `prefix` if it is the whole path or ends where a segment ends.
bool strip(std::string_view path, std::string_view prefix, Rest& rest) noexcept {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  if (path.empty()) {
    rest.reset();
    return true;
  }
  if (path.front() != '/') return false;
  rest = path.substr(1);
  return true;
}

constexpr Error kUnknown{ErrorCode::kNoOperation, "no operation of the kernel API"};
constexpr Error kWrongMethod{ErrorCode::kMethodNotAllowed, "this path has other methods"};

KernelRequest request_for(Operation operation) noexcept {
  KernelRequest request;
  request.operation = operation;
  return request;
}

Result<KernelRequest> get_only(http::Method method, const KernelRequest& request) {
  if (method != http::Method::kGet) return kWrongMethod;
  return request;
}

Result<KernelRequest> parse_spec(http::Method method, Rest rest) {
  const auto name = next_segment(rest);
  if (!name) return get_only(method, request_for(Operation::kListKernelSpecs));
  if (rest || !is_spec_name(*name)) return kUnknown;
  KernelRequest request = request_for(Operation::kGetKernelSpec);
  request.spec_name = *name;
  return get_only(method, request);
}

Result<KernelRequest> parse_resource(http::Method method, Rest rest) {
  const auto name = next_segment(rest);
  if (!name || !is_spec_name(*name) || !rest) return kUnknown;
  KernelRequest request = request_for(Operation::kGetKernelSpecResource);
  request.spec_name = *name;
  request.resource = *rest;
  while (const auto segment = next_segment(rest)) {
    if (!is_name(*segment, kUnreserved)) return kUnknown;
  }
  return get_only(method, request);
}

Result<KernelRequest> parse_kernel(http::Method method, Rest rest) {
  using http::Method;
  const auto id = next_segment(rest);
  if (!id) {
    if (method == Method::kGet) return request_for(Operation::kListKernels);
    if (method == Method::kPost) return request_for(Operation::kCreateKernel);
    return kWrongMethod;
  }
  if (!is_kernel_id(*id)) return kUnknown;
  KernelRequest request;
  request.kernel_id = *id;
  Method wanted = Method::kPost;
  if (!rest) {
    wanted = method == Method::kDelete ? method : Method::kGet;
    request.operation =
        method == Method::kDelete ? Operation::kDeleteKernel : Operation::kGetKernel;
  } else if (*rest == "interrupt") {
    request.operation = Operation::kInterruptKernel;
  } else if (*rest == "restart") {
    request.operation = Operation::kRestartKernel;
  } else if (*rest == "channels") {
    wanted = Method::kGet;
    request.operation = Operation::kConnectKernel;
  } else {
    return kUnknown;
  }
  if (method != wanted) return kWrongMethod;
  return request;
}

Result<KernelRequest> parse_session(http::Method method, Rest rest) {
  using http::Method;
  const auto id = next_segment(rest);
  if (!id) {
    if (method == Method::kGet) return request_for(Operation::kListSessions);
    if (method == Method::kPost) return request_for(Operation::kCreateSession);
    return kWrongMethod;
  }
  if (rest || !is_kernel_id(*id)) return kUnknown;
  KernelRequest request;
  request.notebook_id = *id;
  switch (method) {
    case Method::kGet:
      request.operation = Operation::kGetSession;
      return request;
    case Method::kPatch:
      request.operation = Operation::kPatchSession;
      return request;
    case Method::kDelete:
      request.operation = Operation::kDeleteSession;
      return request;
    default:
      return kWrongMethod;
  }
}

}  // namespace

std::string_view operation_name(Operation operation) noexcept {
  switch (operation) {
    case Operation::kListKernelSpecs:
      return "ListKernelSpecs";
    case Operation::kGetKernelSpec:
      return "GetKernelSpec";
    case Operation::kGetKernelSpecResource:
      return "GetKernelSpecResource";
    case Operation::kListKernels:
      return "ListKernels";
    case Operation::kCreateKernel:
      return "CreateKernel";
    case Operation::kGetKernel:
      return "GetKernel";
    case Operation::kDeleteKernel:
      return "DeleteKernel";
    case Operation::kInterruptKernel:
      return "InterruptKernel";
    case Operation::kRestartKernel:
      return "RestartKernel";
    case Operation::kConnectKernel:
      return "ConnectKernel";
    case Operation::kListSessions:
      return "ListSessions";
    case Operation::kCreateSession:
      return "CreateSession";
    case Operation::kGetSession:
      return "GetSession";
    case Operation::kPatchSession:
      return "PatchSession";
    case Operation::kDeleteSession:
      return "DeleteSession";
    case Operation::kGetVersion:
      return "GetVersion";
    case Operation::kOther:
      return "Other";
    case Operation::kLocal:
      return "Local";
  }
  return "Other";
}

std::optional<Operation> operation_named(std::string_view name) noexcept {
  for (uint8_t i = 0; i < kOperationCount; ++i) {
    const auto operation = static_cast<Operation>(i);
    if (operation_name(operation) == name) return operation;
  }
  return std::nullopt;
}

bool is_of_notebooks(Operation operation) noexcept {
  return operation >= Operation::kListSessions && operation <= Operation::kGetVersion;
}

bool is_kernel_id(std::string_view text) noexcept {
  if (text.size() > kIdBytesMax) return false;
  int hyphens = 0;
  bool in_word = false;
  for (const char c : text) {
    if (is(c, kWordByte)) {
      in_word = true;
    } else if (c == '-' && in_word) {
      ++hyphens;
      in_word = false;
    } else {
      return false;
    }
  }
  return in_word && hyphens == 4;
}

bool is_spec_name(std::string_view text) noexcept { return is_name(text, kNameByte); }

Result<KernelRequest> parse_operation(http::Method method, std::string_view path) {
  if (!is_unambiguous(path)) return Error{ErrorCode::kBadRequest, "ambiguous path"};
  if (method == http::Method::kHead) method = http::Method::kGet;
  Rest rest;
  if (strip(path, "/api/kernels", rest)) return parse_kernel(method, rest);
  if (strip(path, "/api/kernelspecs", rest)) return parse_spec(method, rest);
  if (strip(path, "/kernelspecs", rest)) return parse_resource(method, rest);
  if (strip(path, "/api/sessions", rest)) return parse_session(method, rest);
  if (path == "/api") return get_only(method, request_for(Operation::kGetVersion));
  KernelRequest request = request_for(Operation::kOther);
  request.path = path;
  return request;
}

Result<KernelRequest> without_notebooks(const KernelRequest& request, std::string_view path) {
  if (!is_of_notebooks(request.operation)) return request;
  if (request.operation != Operation::kGetVersion) {
    return Error{ErrorCode::kNoOperation, "notebook_sessions is off for this endpoint", 0};
  }
  KernelRequest other = request_for(Operation::kOther);
  other.path = path;
  return other;
}

std::string allowed_methods(std::string_view path) {
  constexpr std::array<std::pair<http::Method, std::string_view>, 4> kMethods{{
      {http::Method::kGet, "GET, HEAD"},
      {http::Method::kPost, "POST"},
      {http::Method::kPatch, "PATCH"},
      {http::Method::kDelete, "DELETE"},
  }};
  std::string allowed;
  if (path.empty()) return "GET, HEAD, POST, DELETE";
  for (const auto& [method, names] : kMethods) {
    if (!parse_operation(method, path)) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += names;
  }
  return allowed;
}

}  // namespace kg::kernel
