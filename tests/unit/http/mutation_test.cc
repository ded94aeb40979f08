// Valid heads with a few bytes changed: however they are cut the verdict is the same, and what is
// forwarded of an accepted one is a head that our own reader accepts, with the same fields.
#include <random>

#include "proxy/http/forwarding.h"
#include "tests/unit/http/support.h"

namespace kg::http::mutation_test {

constexpr unsigned kSeed = 20240607;
constexpr int kMutants = 2'000;
using namespace std::string_view_literals;
constexpr std::string_view kBytes = "\r\n \t:;,/?#@%=0159aAzZ._-\0\x7f\x80\xff\"\\[]"sv;

std::string mutate(std::string wire, std::mt19937& random) {
  for (auto edits = 1 + random() % 3; edits > 0; --edits) {
    const size_t at = random() % wire.size();
    const char byte = kBytes[random() % kBytes.size()];
    switch (random() % 4) {
      case 0:
        wire[at] = byte;
        break;
      case 1:
        wire.insert(at, 1, byte);
        break;
      case 2:
        wire.erase(at, 1 + random() % 3);
        break;
      default:
        wire.insert(at, wire.substr(random() % wire.size(), random() % 24));
        break;
    }
    if (wire.empty()) wire = "x";
  }
  return wire;
}

TEST(Mutation, RequestsAreJudgedAlikeHoweverTheyAreCut) {
  const std::string_view seeds[] = {
      "POST /api/kernels?a=b HTTP/1.1\r\nHost: h:80\r\nContent-Length: 12\r\nA: b\r\n\r\n",
      "PUT http://h/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "X-Forwarded-For: 192.0.2.1\r\nX-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\n"
      "\r\n"};
  std::mt19937 random(kSeed);
  int accepted = 0;
  for (int i = 0; i < kMutants; ++i) {
    const std::string wire = mutate(std::string(seeds[random() % 3]), random);
    RequestHead whole;
    RequestReader reader(whole);
    const Result<size_t> fed = reader.feed(wire);
    RequestHead piecewise;
    RequestReader by_byte(piecewise);
    std::vector<std::string_view> pieces;
    for (size_t at = 0; at < wire.size(); ++at)
      pieces.push_back(std::string_view(wire).substr(at, 1));
    const Result<size_t> fed_by_byte = feed_all(by_byte, pieces);
    ASSERT_EQ(fed.has_value(), fed_by_byte.has_value()) << testing::PrintToString(wire);
    ASSERT_EQ(reader.complete(), by_byte.complete()) << testing::PrintToString(wire);
    if (!fed || !reader.complete()) continue;
    ++accepted;
    ASSERT_EQ(*fed, *fed_by_byte);
    ASSERT_EQ(whole.bytes, piecewise.bytes);
    ASSERT_EQ(whole.framing, piecewise.framing);
    ASSERT_EQ(whole.headers.size(), piecewise.headers.size());

    RequestRewrite rewrite;
    rewrite.target = "/x";
    rewrite.host = "h";
    rewrite.request_id = "r";
    const std::string trace_id = trace_id_for(whole, 1);
    rewrite.trace_id = trace_id;
    rewrite.peer_address = "192.0.2.2";
    rewrite.scheme = "https";
    rewrite.peer_trusted = true;
    rewrite.framing = whole.framing;
    rewrite.content_length = whole.content_length;
    std::string out;
    append_upstream_request(whole, rewrite, out);
    RequestHead again;
    RequestReader rereader(again);
    const Result<size_t> reread = rereader.feed(out);
    ASSERT_TRUE(reread.has_value()) << reread.error().detail << testing::PrintToString(out);
    ASSERT_EQ(*reread, out.size());
    ASSERT_EQ(again.framing, whole.framing);
    ASSERT_EQ(again.content_length, whole.content_length);
  }
  EXPECT_GT(accepted, kMutants / 20) << "seed " << kSeed << " tests too little";
}

TEST(Mutation, ResponsesAreJudgedAlikeHoweverTheyAreCut) {
  const std::string_view seeds[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nLocation: /a\r\nSet-Cookie: a=b\r\n\r\n",
      "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nConnection: x, close\r\n\r\n"};
  std::mt19937 random(kSeed);
  int accepted = 0;
  for (int i = 0; i < kMutants; ++i) {
    const std::string wire = mutate(std::string(seeds[random() % 2]), random);
    ResponseHead whole;
    ResponseReader reader(whole);
    const Result<size_t> fed = reader.feed(wire);
    ResponseHead piecewise;
    ResponseReader by_byte(piecewise);
    std::vector<std::string_view> pieces;
    for (size_t at = 0; at < wire.size(); ++at)
      pieces.push_back(std::string_view(wire).substr(at, 1));
    const Result<size_t> fed_by_byte = feed_all(by_byte, pieces);
    ASSERT_EQ(fed.has_value(), fed_by_byte.has_value()) << testing::PrintToString(wire);
    ASSERT_EQ(reader.complete(), by_byte.complete()) << testing::PrintToString(wire);
    if (!fed || !reader.complete()) continue;
    ++accepted;
    ASSERT_EQ(whole.bytes, piecewise.bytes);

    ResponseRewrite rewrite;
    rewrite.request_id = "r";
    rewrite.location_prefix = "/ep";
    rewrite.framing = whole.framing;
    rewrite.content_length = whole.content_length;
    rewrite.close = true;
    std::string out;
    append_client_response(whole, rewrite, out);
    ResponseHead again;
    ResponseReader rereader(again);
    const Result<size_t> reread = rereader.feed(out);
    ASSERT_TRUE(reread.has_value()) << reread.error().detail << testing::PrintToString(out);
    ASSERT_EQ(*reread, out.size());
    ASSERT_EQ(again.framing, whole.framing);
    ASSERT_EQ(again.content_length, whole.content_length);
  }
  EXPECT_GT(accepted, kMutants / 20) << "seed " << kSeed << " tests too little";
}

}  // namespace kg::http::mutation_test
