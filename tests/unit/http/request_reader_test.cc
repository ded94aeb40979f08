// What RequestReader accepts and makes of it, however the bytes are cut.
#include "proxy/base/ascii.h"
#include "tests/unit/http/support.h"

namespace kg::http::request_reader_test {

// All that a head says, as text: two heads are equal if their texts are.
std::string describe(const RequestHead& head) {
  std::string out;
  for (const std::string_view part :
       {head.method_text, head.target, head.path, head.query, head.authority}) {
    out.append(part).append("|");
  }
  for (const bool flag : {head.has_query, head.keep_alive, head.expect_continue,
                          head.upgrade_websocket, head.version_minor == 1}) {
    out += flag ? "1" : "0";
  }
  out += "|" + std::to_string(static_cast<int>(head.method)) + "|" +
         std::to_string(static_cast<int>(head.framing)) + "|" + std::to_string(head.content_length);
  for (const Header& header : head.headers) {
    out.append("\n").append(header.name).append("=").append(header.value);
  }
  return out;
}

const std::string_view kAccepted[] = {
    "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nHost:\r\n\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST /api/kernels HTTP/1.1\r\nHost: h:8443\r\nContent-Length: 5\r\nExpect: "
    "100-continue\r\n\r\n",
    "PATCH /a?b=c%20d HTTP/1.1\r\nhOST: [::1]:80\r\nTransfer-Encoding: Chunked\r\n\r\n",
    "GET /a?b?c HTTP/1.1\r\nHost: h\r\nA:\r\nB: \t \r\nC:d\r\nE: f\tg \xc3\xa4 \r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
    "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n",
    "PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n",
    "M-SEARCH / HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET http://h.example:80/a/b?c HTTP/1.1\r\nHost: other\r\n\r\n",
    "GET HTTPS://[2001:db8::1]?c HTTP/1.1\r\nHost: other\r\n\r\n",
    "GET /a|b^c{d}\"<>`\\e HTTP/1.1\r\nHost: a_b.c-d~!$&'()*+,;=\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: "
    "3\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nProxy-Connection: close\r\nConnection: @,,close\r\n\r\n",
};

TEST(RequestReader, TakesTheHeadAloneHoweverItIsCut) {
  for (const std::string_view wire : kAccepted) {
    RequestHead whole;
    ASSERT_NO_FATAL_FAILURE(read_request(whole, wire));
    const std::string expected = describe(whole);
    const std::string stream = std::string(wire) + "GET /next";
    for_each_cut(stream, [&](const std::vector<std::string_view>& pieces) {
      RequestHead head;
      RequestReader reader(head);
      const Result<size_t> fed = feed_all(reader, pieces);
      ASSERT_TRUE(fed.has_value()) << fed.error().detail << " in " << wire;
      EXPECT_EQ(*fed, wire.size());
      ASSERT_TRUE(reader.complete());
      EXPECT_EQ(describe(head), expected);
      EXPECT_EQ(*reader.feed("more"), 0U);
    });
  }
}

TEST(RequestReader, NamesTheParts) {
  RequestHead head;
  read_request(head,
               "POST /api/kernels?a=b HTTP/1.1\r\nHost: gw.example:8443\r\n"
               "Content-Length:  7 \r\nX-Empty:\r\nX-Empty: second\r\n\r\n");
  EXPECT_EQ(head.method, Method::kPost);
  EXPECT_EQ(head.method_text, "POST");
  EXPECT_EQ(head.target, "/api/kernels?a=b");
  EXPECT_EQ(head.path, "/api/kernels");
  EXPECT_EQ(head.query, "a=b");
  EXPECT_TRUE(head.has_query);
  EXPECT_EQ(head.authority, "gw.example:8443");
  EXPECT_EQ(head.version_minor, 1);
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 7U);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(head.headers.size(), 4U);
  EXPECT_EQ(head.find("content-length"), "7");
  EXPECT_EQ(head.find("x-empty"), "");
  EXPECT_EQ(head.find("absent"), "");
}

TEST(RequestReader, NamesEveryMethod) {
  const std::pair<const char*, Method> methods[] = {
      {"GET", Method::kGet},         {"HEAD", Method::kHead},    {"POST", Method::kPost},
      {"PUT", Method::kPut},         {"PATCH", Method::kPatch},  {"DELETE", Method::kDelete},
      {"OPTIONS", Method::kOptions}, {"TRACE", Method::kTrace},  {"LINK", Method::kOther},
      {"PURGE", Method::kOther},     {"SEARCH", Method::kOther}, {"NOTIFY", Method::kOther},
  };
  for (const auto& [text, method] : methods) {
    RequestHead head;
    read_request(head, std::string(text) + " / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(head.method, method) << text;
    EXPECT_EQ(head.method_text, text);
  }
}

TEST(RequestReader, AbsoluteFormOverridesHost) {  // RFC 9112 section 3.2.2
  RequestHead head;
  read_request(head, "GET http://target.example HTTP/1.1\r\nHost: field.example\r\n\r\n");
  EXPECT_EQ(head.authority, "target.example");
  EXPECT_EQ(head.path, "/");
  EXPECT_FALSE(head.has_query);
}

TEST(RequestReader, AbsoluteFormWithoutPathKeepsItsQuery) {
  RequestHead head;
  read_request(head, "GET http://h?a=/b HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "a=/b");
}

TEST(RequestReader, TellsAnEmptyQueryFromNone) {
  RequestHead head;
  read_request(head, "GET /a? HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(head.has_query);
  EXPECT_EQ(head.query, "");
}

TEST(RequestReader, AcceptsEveryFormOfHost) {  // RFC 3986 section 3.2.2
  for (const char* host : {"h", "h:", "h:0", "h:65535", "a.b.", "10.0.0.1:8443", "[::1]",
                           "[::1]:", "[2001:db8::192.0.2.1]:443", "a%2db", "xn--nxasmq6b", "a_b"}) {
    RequestHead head;
    read_request(head, "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    EXPECT_EQ(head.authority, host);
  }
}

TEST(RequestReader, PersistsAsVersionAndConnectionSay) {  // RFC 9112 section 9.3
  struct Case {
    const char* version;
    const char* connection;
    bool keep_alive;
  };
  const Case cases[] = {
      {"1.1", "", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: Keep-Alive\r\n", true},
      {"1.1", "Connection: keep-alive, CLOSE\r\n", false},
      {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"1.0", "", false},
      {"1.0", "Connection: keep-alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const Case& c : cases) {
    RequestHead head;
    read_request(
        head, std::string("GET / HTTP/") + c.version + "\r\nHost: h\r\n" + c.connection + "\r\n");
    EXPECT_EQ(head.keep_alive, c.keep_alive) << c.version << " " << c.connection;
  }
}

TEST(RequestReader, SeesAWebSocketUpgradeOnlyWhereItMayBe) {  // RFC 6455 4.2.1, RFC 9110 7.8
  struct Case {
    const char* start;
    const char* fields;
    bool upgrade;
  };
  const Case cases[] = {
      {"GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true},
      {"GET / HTTP/1.1", "Connection: keep-alive, upgrade\r\nUpgrade: WebSocket\r\n", true},
      {"GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: h2c, websocket\r\n", true},
      {"GET / HTTP/1.1", "Upgrade: websocket\r\n", false},
      {"GET / HTTP/1.1", "Connection: upgrade\r\n", false},
      {"GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: h2c\r\n", false},
      {"POST / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false},
      {"GET / HTTP/1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false},
  };
  for (const Case& c : cases) {
    RequestHead head;
    read_request(head, std::string(c.start) + "\r\nHost: h\r\n" + c.fields + "\r\n");
    EXPECT_EQ(head.upgrade_websocket, c.upgrade) << c.start << " " << c.fields;
  }
}

TEST(RequestReader, Http10KnowsNoExpectations) {  // RFC 9110 section 10.1.1
  RequestHead head;
  read_request(head, "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_FALSE(head.expect_continue);
  EXPECT_EQ(head.framing, Framing::kLength);
}

TEST(RequestReader, ExpectationIgnoresCase) {
  RequestHead head;
  read_request(head,
               "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_TRUE(head.expect_continue);
}

TEST(RequestReader, LengthZeroIsALength) {
  RequestHead head;
  read_request(head, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 000\r\n\r\n");
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.content_length, 0U);
}

TEST(RequestReader, TakesTheLargestLength) {
  RequestHead head;
  read_request(head, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n");
  EXPECT_EQ(head.content_length, UINT64_MAX);
}

TEST(RequestReader, StartsWithTheFirstByteOfARequestLine) {
  RequestHead head;
  RequestReader reader(head);
  EXPECT_EQ(*reader.feed("\r\n\r"), 3U);
  EXPECT_FALSE(reader.started());
  EXPECT_EQ(*reader.feed("\nG"), 2U);
  EXPECT_TRUE(reader.started());
}

TEST(RequestReader, ResetGivesTheMemoryBackAndReadsOn) {
  RequestHead head;
  RequestReader reader(head);
  ASSERT_TRUE(reader.feed("GET /" + std::string(2000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(reader.complete());
  reader.reset();
  EXPECT_FALSE(reader.started());
  EXPECT_LT(head.bytes.capacity(), 32U);
  EXPECT_EQ(head.headers.capacity(), 0U);
  EXPECT_EQ(describe(head), describe(RequestHead()));
  ASSERT_TRUE(reader.feed("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(head.path, "/b");
}

TEST(RequestReader, ResetRevivesADeadReader) {
  RequestHead head;
  RequestReader reader(head);
  ASSERT_FALSE(reader.feed("\n"));
  reader.reset();
  ASSERT_TRUE(reader.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_TRUE(reader.complete());
}

}  // namespace kg::http::request_reader_test
