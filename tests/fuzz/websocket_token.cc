// A token among the offered subprotocols: decoded strictly, and never in what goes upstream.
#include <string>

#include "proxy/base/ascii.h"
#include "proxy/websocket/handshake.h"
#include "proxy/websocket/token_protocol.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

// What the client offers, then on a second line what the gateway selects.
void run(std::string_view input) {
  http::RequestHead request;
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string_view offered = input.substr(0, line);
  request.headers.push_back({"Sec-WebSocket-Protocol", offered});
  http::ResponseHead response;
  if (line < input.size()) {
    response.headers.push_back({"Sec-WebSocket-Protocol", input.substr(line + 1)});
  }
  const std::string prefix = std::string(websocket::kTokenProtocol) + ".";
  const Result<Secret> token = websocket::offered_token(request);
  if (token && !token->empty()) {
    // It is one of the offers, decoded.
    bool found = false;
    ascii::for_each_element(offered, [&](std::string_view element) {
      if (!element.starts_with(prefix)) return;
      found = found || ascii::percent_decode(element.substr(prefix.size())) == token->reveal();
    });
    KG_ASSERT(found);
  } else if (token) {
    ascii::for_each_element(
        offered, [&](std::string_view element) { KG_ASSERT(!element.starts_with(prefix)); });
  } else {
    const ErrorCode code = token.error().code;
    KG_ASSERT(code == ErrorCode::kUnauthorized || code == ErrorCode::kBadRequest);
  }
  const std::string upstream = websocket::offered_protocols(request);
  ascii::for_each_element(upstream, [&](std::string_view element) {
    KG_ASSERT(!ascii::starts_with_ignore_case(element, prefix));
  });
  const std::string_view selected = websocket::selected_for_token(response, request);
  if (selected.empty()) return;
  KG_ASSERT(selected == websocket::kTokenProtocol &&
            response.find("Sec-WebSocket-Protocol").empty());
  bool bare = false;
  ascii::for_each_element(offered, [&](std::string_view element) {
    bare = bare || element == websocket::kTokenProtocol;
  });
  KG_ASSERT(bare);
}

}  // namespace kg::fuzz
