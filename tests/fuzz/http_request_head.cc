// A request head: read alike however it arrives, and what goes upstream is one clear request.
#include <string>

#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"
#include "proxy/http/field_name.h"
#include "proxy/http/forwarding.h"
#include "proxy/http/head_reader.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using http::Framing;
using http::Method;

struct Reading {
  http::RequestHead head;
  http::RequestReader reader{head};
  size_t taken = 0;
  bool failed = false;

  Reading(std::string_view data, Cut cut) {
    for_each_piece(data, cut, [this](std::string_view piece) {
      const Result<size_t> fed = reader.feed(piece);
      failed = !fed;
      if (failed) return false;
      KG_ASSERT(*fed <= piece.size());
      KG_ASSERT(*fed == piece.size() || reader.complete());
      taken += *fed;
      return !reader.complete();
    });
  }
};

bool same(const http::RequestHead& a, const http::RequestHead& b) {
  return a.bytes == b.bytes && a.method == b.method && a.target == b.target && a.path == b.path &&
         a.query == b.query && a.has_query == b.has_query && a.authority == b.authority &&
         a.version_minor == b.version_minor && a.headers.size() == b.headers.size() &&
         a.framing == b.framing && a.content_length == b.content_length &&
         a.keep_alive == b.keep_alive && a.expect_continue == b.expect_continue &&
         a.upgrade_websocket == b.upgrade_websocket;
}

size_t count(const http::RequestHead& head, std::string_view name) {
  size_t found = 0;
  for (const http::Header& field : head.headers) {
    if (ascii::equals_ignore_case(field.name, name)) ++found;
  }
  return found;
}

void check_parts(const http::RequestHead& head) {
  KG_ASSERT(head.bytes.ends_with("\r\n\r\n"));
  KG_ASSERT(head.bytes.size() <= limits::kHeadBytesMax);
  KG_ASSERT(head.headers.size() <= limits::kHeaderCountMax);
  for (const std::string_view part : {head.method_text, head.target, head.query, head.authority}) {
    KG_ASSERT(is_within(part, head.bytes));
    for (const char c : part) KG_ASSERT(c > ' ' && c < 0x7f);
  }
  for (const http::Header& field : head.headers) {
    KG_ASSERT(http::is_token(field.name) && is_within(field.name, head.bytes));
    KG_ASSERT(is_within(field.value, head.bytes));
    for (const char c : field.value) KG_ASSERT(static_cast<unsigned char>(c) >= ' ' || c == '\t');
    KG_ASSERT(ascii::trim(field.value) == field.value);
  }
  KG_ASSERT(head.version_minor == 0 || count(head, "host") == 1);
  KG_ASSERT(count(head, "host") <= 1);
  const size_t lengths = count(head, "content-length");
  const size_t codings = count(head, "transfer-encoding");
  KG_ASSERT(head.framing != Framing::kUntilClose);
  KG_ASSERT(lengths + codings == (head.framing == Framing::kNone ? 0 : 1));
  KG_ASSERT((codings == 1) == (head.framing == Framing::kChunked));
}

// The gateway reads one request of the same framing, with our target, Host and token.
void check_forwarded(const http::RequestHead& head) {
  if (head.method == Method::kConnect || head.path.empty() || head.headers.size() > 100) return;
  http::RequestRewrite rewrite;
  rewrite.target = "/api/kernels";
  rewrite.host = head.authority.empty() ? std::string_view("pod.test") : head.authority;
  rewrite.gateway_token = "gateway-token";
  rewrite.request_id = "request-id";
  rewrite.trace_id = "Root=1-00000000-000000000000000000000000";
  rewrite.peer_address = "192.0.2.1";
  rewrite.scheme = "https";
  rewrite.port = 8443;
  rewrite.peer_trusted = hash(head.bytes) % 2 == 0;
  rewrite.framing = head.framing;
  rewrite.content_length = head.content_length;
  rewrite.json_body = head.framing != Framing::kNone;
  rewrite.websocket = head.upgrade_websocket;
  std::string out;
  http::append_upstream_request(head, rewrite, out);
  const Reading again(out, Cut::kWhole);
  const http::RequestHead& sent = again.head;
  KG_ASSERT(again.reader.complete() && again.taken == out.size());
  KG_ASSERT(sent.method_text == head.method_text && sent.target == rewrite.target);
  KG_ASSERT(sent.framing == head.framing && sent.content_length == head.content_length);
  KG_ASSERT(sent.authority == rewrite.host && sent.version_minor == 1 && sent.keep_alive);
  KG_ASSERT(sent.upgrade_websocket == head.upgrade_websocket && !sent.expect_continue);
  KG_ASSERT(count(sent, "authorization") == 1);
  KG_ASSERT(sent.find("authorization") == "token gateway-token");
  KG_ASSERT(count(sent, "x-forwarded-for") == 1);
  KG_ASSERT(sent.find("x-forwarded-for").ends_with(rewrite.peer_address));
  KG_ASSERT(count(sent, "content-type") == (rewrite.json_body ? 1 : count(sent, "content-type")));
  for (const std::string_view name : {"cookie", "origin", "te", "proxy-authorization",
                                      "max-forwards", "x-amzn-oidc-data", "forwarded"}) {
    KG_ASSERT(count(sent, name) == 0);
  }
  for (const http::Header& field : sent.headers) {
    KG_ASSERT(field.name.find('_') == std::string_view::npos);
  }
}

}  // namespace

void run(std::string_view input) {
  const Reading whole(input, Cut::kWhole);
  for (const Cut cut : kOtherCuts) {
    const Reading pieces(input, cut);
    KG_ASSERT(pieces.failed == whole.failed);
    KG_ASSERT(pieces.reader.complete() == whole.reader.complete());
    if (!whole.reader.complete()) continue;
    KG_ASSERT(pieces.taken == whole.taken && same(pieces.head, whole.head));
  }
  if (!whole.reader.complete()) return;
  check_parts(whole.head);
  check_forwarded(whole.head);
}

}  // namespace kg::fuzz
