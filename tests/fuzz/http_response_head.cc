// A response head: read alike however it arrives, and what goes to the client is one clear answer.
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
  http::ResponseHead head;
  http::ResponseReader reader{head};
  size_t taken = 0;
  bool failed = false;

  Reading(Method method, std::string_view data, Cut cut) {
    reader.expect(method);
    for_each_piece(data, cut, [this](std::string_view piece) {
      const Result<size_t> fed = reader.feed(piece);
      failed = !fed;
      if (failed) {
        KG_ASSERT(fed.error().code == ErrorCode::kUpstreamProtocol);
        return false;
      }
      KG_ASSERT(*fed <= piece.size());
      KG_ASSERT(*fed == piece.size() || reader.complete());
      taken += *fed;
      return !reader.complete();
    });
  }
};

bool same(const http::ResponseHead& a, const http::ResponseHead& b) {
  return a.bytes == b.bytes && a.status == b.status && a.reason == b.reason &&
         a.version_minor == b.version_minor && a.headers.size() == b.headers.size() &&
         a.framing == b.framing && a.content_length == b.content_length &&
         a.keep_alive == b.keep_alive && a.upgrade_websocket == b.upgrade_websocket;
}

size_t count(const http::ResponseHead& head, std::string_view name) {
  size_t found = 0;
  for (const http::Header& field : head.headers) {
    if (ascii::equals_ignore_case(field.name, name)) ++found;
  }
  return found;
}

void check_parts(const http::ResponseHead& head, Method method) {
  KG_ASSERT(head.status >= 100 && head.status <= 599);
  KG_ASSERT(head.headers.size() <= limits::kHeaderCountMax);
  for (const http::Header& field : head.headers) {
    KG_ASSERT(http::is_token(field.name) && is_within(field.name, head.bytes));
    for (const char c : field.value) KG_ASSERT(static_cast<unsigned char>(c) >= ' ' || c == '\t');
  }
  for (const char c : head.reason) KG_ASSERT(static_cast<unsigned char>(c) >= ' ' || c == '\t');
  KG_ASSERT(count(head, "content-length") + count(head, "transfer-encoding") <= 1);
  const bool bodiless =
      head.status < 200 || head.status == 204 || head.status == 304 || method == Method::kHead;
  if (method != Method::kConnect) KG_ASSERT(bodiless == (head.framing == Framing::kNone));
  KG_ASSERT(head.framing != Framing::kUntilClose || !head.keep_alive);
}

void check_forwarded(const http::ResponseHead& head, Method method) {
  if (method == Method::kConnect || head.headers.size() > 100) return;
  std::string out;
  http::ResponseRewrite rewrite;
  rewrite.request_id = "request-id";
  rewrite.location_prefix = "/abc";
  rewrite.body_allowed = method != Method::kHead;
  rewrite.framing = head.framing == Framing::kUntilClose ? Framing::kChunked : head.framing;
  rewrite.content_length = head.content_length;
  rewrite.close = hash(head.bytes) % 2 == 0;
  const bool interim = head.status < 200 && head.status != 101;
  if (interim) {
    http::append_client_interim(head, out);
  } else {
    http::append_client_response(head, rewrite, out);
  }
  const Reading again(method, out, Cut::kWhole);
  const http::ResponseHead& sent = again.head;
  KG_ASSERT(again.reader.complete() && again.taken == out.size());
  KG_ASSERT(sent.status == head.status && sent.version_minor == 1);
  if (interim) {
    KG_ASSERT(count(sent, "content-length") + count(sent, "transfer-encoding") == 0);
    return;
  }
  KG_ASSERT(sent.framing == (head.status == 101 ? Framing::kNone : rewrite.framing));
  KG_ASSERT(sent.framing != Framing::kLength || sent.content_length == head.content_length);
  KG_ASSERT(count(sent, "server") == 0 && count(sent, "alt-svc") == 0);
  KG_ASSERT(count(sent, "x-request-id") == 1);
  if (head.status != 101) KG_ASSERT(sent.keep_alive == !rewrite.close);
}

}  // namespace

// The first byte chooses the method that is answered: 'G' GET, 'H' HEAD, 'C' CONNECT.
void run(std::string_view input) {
  if (input.empty()) return;
  const char letter = input.front();
  input.remove_prefix(1);
  const Method method = letter == 'H'   ? Method::kHead
                        : letter == 'C' ? Method::kConnect
                                        : Method::kGet;
  const Reading whole(method, input, Cut::kWhole);
  for (const Cut cut : kOtherCuts) {
    const Reading pieces(method, input, cut);
    KG_ASSERT(pieces.failed == whole.failed);
    KG_ASSERT(pieces.reader.complete() == whole.reader.complete());
    if (!whole.reader.complete()) continue;
    KG_ASSERT(pieces.taken == whole.taken && same(pieces.head, whole.head));
  }
  if (!whole.reader.complete()) return;
  check_parts(whole.head, method);
  check_forwarded(whole.head, method);
}

}  // namespace kg::fuzz
