// From an operation back to the target that goes upstream, and what queries hold.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/kernel/operation.h"

namespace kg::kernel {
namespace {

constexpr size_t kValueBytesMax = 256;  // of a query parameter that goes upstream

struct Parameter {
  std::string_view text;  // as sent, without separators
  std::string_view name;
  std::string_view value;
  char separator;  // before it; that of the first has no meaning
};

template <class Visit>
void for_each_parameter(std::string_view query, Visit&& visit) {
  char separator = '&';
  while (true) {
    const size_t end = query.find_first_of("&;");
    const std::string_view text = query.substr(0, end);
    if (!text.empty()) {
      const size_t equals = text.find('=');
      const bool has_value = equals != std::string_view::npos;
      visit(Parameter{text, text.substr(0, equals),
                      has_value ? text.substr(equals + 1) : std::string_view{}, separator});
    }
    if (end == std::string_view::npos) return;
    separator = query[end];
    query.remove_prefix(end + 1);
  }
}

// The decoded value of the first parameter of that decoded name; nullopt also if it does not
// decode.
std::optional<std::string> find_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> found;
  bool seen = false;
  for_each_parameter(query, [&](const Parameter& parameter) {
    if (seen || ascii::form_decode(parameter.name) != name) return;
    seen = true;
    found = ascii::form_decode(parameter.value);
  });
  return found;
}

void append_session_id(std::string_view query, std::string_view otherwise, std::string& out) {
  auto value = find_parameter(query, "session_id");
  if (!value || value->empty() || value->size() > kValueBytesMax) value = otherwise;
  if (value->empty()) return;
  out += "?session_id=";
  ascii::percent_encode(*value, out);
}

void append_user(std::string_view user, std::string& out) {
  if (user.empty()) return;
  out += "?user=";
  ascii::percent_encode(user, out);
}

void append_without_token(std::string_view query, std::string& out) {
  bool first = true;
  for_each_parameter(query, [&](const Parameter& parameter) {
    const auto name = ascii::form_decode(parameter.name);
    if (!name || *name == "token") return;
    out += first ? '?' : parameter.separator;
    first = false;
    out += parameter.text;
  });
}

bool tells_a_secret(std::string_view decoded) {
  constexpr std::array<std::string_view, 8> kWords = {
      "token", "secret", "password", "signature", "credential", "jwt", "api_key", "apikey"};
  const std::string text = ascii::lower(decoded);
  return std::any_of(kWords.begin(), kWords.end(), [&text](std::string_view word) {
    return text.find(word) != std::string::npos;
  });
}

}  // namespace

void append_target(const KernelRequest& request, std::string_view query, std::string& out) {
  const auto kernel = [&](std::string_view action) {
    out.append("/api/kernels/").append(request.kernel_id).append(action);
  };
  switch (request.operation) {
    case Operation::kListKernelSpecs:
      out += "/api/kernelspecs";
      return append_user(request.user, out);
    case Operation::kGetKernelSpec:
      out.append("/api/kernelspecs/").append(request.spec_name);
      return append_user(request.user, out);
    case Operation::kGetKernelSpecResource:
      out.append("/kernelspecs/").append(request.spec_name).append("/").append(request.resource);
      return;
    case Operation::kListKernels:
    case Operation::kCreateKernel:
      out += "/api/kernels";
      return;
    case Operation::kGetKernel:
    case Operation::kDeleteKernel:
      return kernel("");
    case Operation::kInterruptKernel:
      return kernel("/interrupt");
    case Operation::kRestartKernel:
      return kernel("/restart");
    case Operation::kConnectKernel:
      kernel("/channels");
      return append_session_id(query, request.session_id, out);
    case Operation::kListSessions:
    case Operation::kCreateSession:
      out += "/api/sessions";
      return;
    case Operation::kGetSession:
    case Operation::kPatchSession:
    case Operation::kDeleteSession:
      out.append("/api/sessions/").append(request.notebook_id);
      return;
    case Operation::kGetVersion:
      out += "/api";
      return;
    case Operation::kOther:
    case Operation::kLocal:
      out += request.path;
      append_without_token(query, out);
      return;
  }
}

Result<std::string> token_parameter(std::string_view query) {
  std::string found;
  bool seen = false;
  bool differ = false;
  for_each_parameter(query, [&](const Parameter& parameter) {
    if (ascii::form_decode(parameter.name) != "token") return;
    std::string value = ascii::form_decode(parameter.value).value_or(std::string{});
    differ = differ || (std::exchange(seen, true) && value != found);
    found = std::move(value);
  });
  if (differ) return Error{ErrorCode::kBadRequest, "two token parameters that differ", 0};
  return found;
}

std::string redacted_query(std::string_view query) {
  std::string out;
  for_each_parameter(query, [&](const Parameter& parameter) {
    if (!out.empty()) out += parameter.separator;
    const auto decoded = ascii::form_decode(parameter.text);
    if (decoded && !tells_a_secret(*decoded)) {
      out += parameter.text;
      return;
    }
    // A name is shown only if no value can hide in it.
    const bool plain = parameter.name.empty() || is_spec_name(parameter.name);
    if (parameter.name.size() < parameter.text.size() && parameter.name.size() <= 64 && plain) {
      out.append(parameter.name).append("=");
    }
    out += "REDACTED";
  });
  return out;
}

}  // namespace kg::kernel
