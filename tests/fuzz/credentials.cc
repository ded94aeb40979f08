// Who sends a request: the credential in its head, and nowhere else than where it may stand.
#include "proxy/exchange/credentials.h"

#include <string>

#include "proxy/event/address.h"
#include "proxy/http/forwarding.h"
#include "proxy/http/head_reader.h"
#include "proxy/kernel/operation.h"
#include "proxy/websocket/handshake.h"
#include "proxy/websocket/token_protocol.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/session_key.h"

namespace kg::fuzz {
namespace {

struct Known {
  std::string token = good_token();
  auth::Door door = verifier();
};

// Where a good session may come from, read in the plainest way.
bool carries(const http::RequestHead& head, std::string_view token) {
  const std::string_view signed_part = token.substr(0, token.rfind('.'));
  size_t fields = 0;
  bool found = false;
  for (const http::Header& field : head.headers) {
    if (!ascii::equals_ignore_case(field.name, "authorization")) continue;
    ++fields;
    const size_t space = field.value.find(' ');
    const std::string scheme = ascii::lower(field.value.substr(0, space));
    found = (scheme == "token" || scheme == "bearer") &&
            ascii::trim(field.value.substr(space)).starts_with(signed_part);
  }
  if (fields > 0) return fields == 1 && found;
  const Result<std::string> parameter = kernel::token_parameter(head.query);
  if (parameter && parameter->starts_with(signed_part)) return true;
  const Result<Secret> offered = websocket::offered_token(head);
  if (head.upgrade_websocket && offered && offered->reveal().starts_with(signed_part)) return true;
  return !head.find("cookie").empty() && head.bytes.find(signed_part) != std::string::npos;
}

}  // namespace

void run(std::string_view input) {
  static Known known;
  http::RequestHead head;
  http::RequestReader reader(head);
  if (!reader.feed(input) || !reader.complete()) return;
  const Result<exchange::Credentials> shown = exchange::Credentials::of(head, {"session"});
  if (shown) {
    const Result<auth::Principal> session = known.door.verify(shown->evidence().token, kNow);
    KG_ASSERT(!session || (session->subject == "alice" && carries(head, known.token)));
  } else {
    const ErrorCode code = shown.error().code;
    KG_ASSERT(code == ErrorCode::kUnauthorized || code == ErrorCode::kBadRequest);
  }
  const std::string offered = ascii::lower(websocket::offered_protocols(head));
  KG_ASSERT(offered.find("v1.token.websocket.jupyter.org.") != 0);
  KG_ASSERT(offered.find(", v1.token.websocket.jupyter.org.") == std::string::npos);
  const std::string_view client = http::forwarded_client(head);
  KG_ASSERT(client.empty() || event::SocketAddress::parse(std::string(client), 0).has_value());
  KG_ASSERT(http::trace_id_for(head, kNow).find_first_of(",\r\n") == std::string::npos);
}

}  // namespace kg::fuzz
