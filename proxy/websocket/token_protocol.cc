#include "proxy/websocket/token_protocol.h"

#include <optional>
#include <utility>

#include "proxy/base/ascii.h"

namespace kg::websocket {
namespace {

constexpr std::string_view kField = "Sec-WebSocket-Protocol";

template <class Visit>
void for_each_offer(const http::RequestHead& request, Visit&& visit) {
  for (const http::Header& header : request.headers) {
    if (ascii::equals_ignore_case(header.name, kField)) {
      ascii::for_each_element(header.value, visit);
    }
  }
}

std::optional<std::string_view> encoded_token(std::string_view element) noexcept {
  if (!element.starts_with(kTokenProtocol)) return std::nullopt;
  element.remove_prefix(kTokenProtocol.size());
  if (element.empty() || element.front() != '.') return std::nullopt;
  return element.substr(1);
}

}  // namespace

bool is_token_offer(std::string_view element) noexcept {
  return element.size() > kTokenProtocol.size() && element[kTokenProtocol.size()] == '.' &&
         ascii::starts_with_ignore_case(element, kTokenProtocol);
}

Result<Secret> offered_token(const http::RequestHead& request) {
  std::optional<std::string_view> found;
  bool differ = false;
  for_each_offer(request, [&](std::string_view element) {
    const auto encoded = encoded_token(element);
    if (!encoded) return;
    differ = differ || (found && *found != *encoded);
    found = encoded;
  });
  if (differ) return Error{ErrorCode::kBadRequest, "two tokens among the subprotocols", 0};
  if (!found) return Secret();
  auto token = ascii::percent_decode(*found);
  if (!token || token->empty()) {
    return Error{ErrorCode::kUnauthorized, "a subprotocol's token that does not decode", 0};
  }
  return Secret(std::move(*token));
}

std::string_view selected_for_token(const http::ResponseHead& response,
                                    const http::RequestHead& request) {
  if (!response.find(kField).empty()) return {};
  bool bare = false;
  bool token = false;
  for_each_offer(request, [&](std::string_view element) {
    bare = bare || element == kTokenProtocol;
    token = token || encoded_token(element).has_value();
  });
  return bare && token ? kTokenProtocol : std::string_view();
}

}  // namespace kg::websocket
