#include "proxy/websocket/handshake.h"

#include <algorithm>
#include <array>
#include <vector>

#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"
#include "proxy/websocket/token_protocol.h"

namespace kg::websocket {
namespace {

constexpr std::string_view kAcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

constexpr bool is_base64(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

// 16 bytes in base64. What the unused last 4 bits say is of no consequence: nobody decodes a key.
bool is_key(std::string_view key) noexcept {
  return key.size() == 24 && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, is_base64);
}

template <class Head>
size_t count(const Head& head, std::string_view name) noexcept {
  return static_cast<size_t>(std::count_if(
      head.headers.begin(), head.headers.end(),
      [name](const http::Header& header) { return ascii::equals_ignore_case(header.name, name); }));
}

// Visits the elements of all fields of that name, as one list (RFC 9110 section 5.3).
template <class Head, class Visit>
void for_each_listed(const Head& head, std::string_view name, Visit&& visit) {
  for (const http::Header& header : head.headers) {
    if (ascii::equals_ignore_case(header.name, name)) ascii::for_each_element(header.value, visit);
  }
}

std::string_view extension_name(std::string_view extension) noexcept {
  return ascii::trim(extension.substr(0, extension.find(';')));
}

bool extensions_were_offered(const http::ResponseHead& response, const http::RequestHead& request) {
  std::vector<std::string_view> offered;
  for_each_listed(request, "Sec-WebSocket-Extensions",
                  [&](std::string_view element) { offered.push_back(extension_name(element)); });
  bool all = true;
  for_each_listed(response, "Sec-WebSocket-Extensions", [&](std::string_view element) {
    const auto at = std::find(offered.begin(), offered.end(), extension_name(element));
    all = all && at != offered.end();
  });
  return all;
}

bool subprotocol_was_offered(std::string_view chosen, std::string_view offered) {
  bool found = false;
  ascii::for_each_element(offered,
                          [&](std::string_view element) { found = found || element == chosen; });
  return found;
}

}  // namespace

Result<void> check_request(const http::RequestHead& head) {
  if (head.method != http::Method::kGet || !head.upgrade_websocket) {
    return Error{ErrorCode::kBadRequest, "not a WebSocket upgrade"};
  }
  if (head.version_minor < 1) return Error{ErrorCode::kBadRequest, "WebSocket needs HTTP/1.1"};
  if (head.framing != http::Framing::kNone &&
      !(head.framing == http::Framing::kLength && head.content_length == 0)) {
    return Error{ErrorCode::kBadRequest, "WebSocket upgrade with a body"};
  }
  if (count(head, "Sec-WebSocket-Version") != 1) {
    return Error{ErrorCode::kBadRequest, "Sec-WebSocket-Version must be given once"};
  }
  if (head.find("Sec-WebSocket-Version") != "13") {
    return Error{ErrorCode::kUpgradeRequired, "WebSocket version is not 13"};
  }
  if (count(head, "Sec-WebSocket-Key") != 1 || !is_key(head.find("Sec-WebSocket-Key"))) {
    return Error{ErrorCode::kBadRequest, "Sec-WebSocket-Key is not 16 bytes in base64"};
  }
  return {};
}

std::string accept_value(std::string_view key) {
  std::string text;
  text.reserve(key.size() + kAcceptGuid.size());
  text.append(key).append(kAcceptGuid);
  const crypto::Sha1 digest = crypto::sha1(text);
  return ascii::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Result<void> check_response(const http::ResponseHead& response, const http::RequestHead& request,
                            std::string_view offered) {
  if (response.status != 101 || !response.upgrade_websocket) {
    return Error{ErrorCode::kUpstreamProtocol, "101 that is no WebSocket upgrade"};
  }
  if (count(response, "Sec-WebSocket-Accept") != 1 ||
      response.find("Sec-WebSocket-Accept") != accept_value(request.find("Sec-WebSocket-Key"))) {
    return Error{ErrorCode::kUpstreamProtocol, "Sec-WebSocket-Accept does not match the key"};
  }
  // Chosen by the gateway out of what went there, or none: never added, never dropped (domain G26).
  const size_t chosen = count(response, "Sec-WebSocket-Protocol");
  if (chosen > 1 ||
      (chosen == 1 && !subprotocol_was_offered(response.find("Sec-WebSocket-Protocol"), offered))) {
    return Error{ErrorCode::kUpstreamProtocol, "subprotocol that was not offered"};
  }
  if (!extensions_were_offered(response, request)) {
    return Error{ErrorCode::kUpstreamProtocol, "extension that was not offered"};
  }
  return {};
}

Result<void> check_reconnect(const http::ResponseHead& response, std::string_view key,
                             std::string_view protocol) {
  if (response.status != 101 || !response.upgrade_websocket ||
      count(response, "Sec-WebSocket-Accept") != 1 ||
      response.find("Sec-WebSocket-Accept") != accept_value(key)) {
    return Error{ErrorCode::kUpstreamProtocol, "101 that is no WebSocket upgrade"};
  }
  if (count(response, "Sec-WebSocket-Protocol") != (protocol.empty() ? 0U : 1U) ||
      response.find("Sec-WebSocket-Protocol") != protocol) {
    return Error{ErrorCode::kUpstreamProtocol, "another subprotocol than before"};
  }
  if (count(response, "Sec-WebSocket-Extensions") != 0) {
    return Error{ErrorCode::kUpstreamProtocol, "extension that was not offered"};
  }
  return {};
}

std::string new_key() {
  std::array<char, 16> bytes{};
  crypto::random_bytes(bytes.data(), bytes.size());
  return ascii::base64_encode({bytes.data(), bytes.size()});
}

std::string offered_protocols(const http::RequestHead& head) {
  std::string offered;
  for_each_listed(head, "Sec-WebSocket-Protocol", [&](std::string_view element) {
    if (is_token_offer(element)) return;
    if (!offered.empty()) offered += ", ";
    offered += element;
  });
  return offered;
}

}  // namespace kg::websocket
