// The opening handshake from both heads: what passes is RFC 6455 section 4 to the letter.
#include <string>

#include "proxy/base/ascii.h"
#include "proxy/http/head_reader.h"
#include "proxy/websocket/handshake.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

template <class Head>
size_t count(const Head& head, std::string_view name) {
  size_t found = 0;
  for (const http::Header& field : head.headers) {
    if (ascii::equals_ignore_case(field.name, name)) ++found;
  }
  return found;
}

}  // namespace

// A request head, then the answer's.
void run(std::string_view input) {
  http::RequestHead request;
  http::RequestReader reader(request);
  const Result<size_t> taken = reader.feed(input);
  if (!taken || !reader.complete()) return;
  const Result<void> asked = websocket::check_request(request);
  if (asked) {
    KG_ASSERT(request.method == http::Method::kGet && request.version_minor == 1);
    KG_ASSERT(request.find("Sec-WebSocket-Version") == "13");
    KG_ASSERT(request.find("Sec-WebSocket-Key").size() == 24 && request.content_length == 0);
  }
  http::ResponseHead response;
  http::ResponseReader answer(response);
  answer.expect(request.method);
  if (!answer.feed(input.substr(*taken)) || !answer.complete()) return;
  const std::string offered = websocket::offered_protocols(request);
  if (!asked || !websocket::check_response(response, request, offered)) return;
  KG_ASSERT(response.status == 101 && response.upgrade_websocket);
  KG_ASSERT(response.find("Sec-WebSocket-Accept") ==
            websocket::accept_value(request.find("Sec-WebSocket-Key")));
  const std::string_view chosen = response.find("Sec-WebSocket-Protocol");
  KG_ASSERT(count(response, "Sec-WebSocket-Protocol") <= 1);
  KG_ASSERT(chosen.empty() || offered.find(chosen) != std::string::npos);
  KG_ASSERT(count(response, "Sec-WebSocket-Extensions") == 0 ||
            count(request, "Sec-WebSocket-Extensions") > 0 ||
            ascii::trim(response.find("Sec-WebSocket-Extensions")).find_first_not_of(", \t") ==
                std::string_view::npos);
}

}  // namespace kg::fuzz
