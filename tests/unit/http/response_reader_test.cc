// ResponseReader: what a gateway may say, and what its body is.
#include "tests/unit/http/support.h"

namespace kg::http::response_reader_test {

using namespace std::string_literals;

struct Accepted {
  const char* rule;
  std::string wire;
  Method method;
  Framing framing;
  uint64_t length;
  bool keep_alive;
};

const Accepted kAccepted[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::kGet, Framing::kLength, 5,
     true},
    {"no length: RFC 9112 6.3 item 8", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n",
     Method::kGet, Framing::kUntilClose, 0, false},
    {"chunked", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n", Method::kPost,
     Framing::kChunked, 0, true},
    {"close", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", Method::kGet,
     Framing::kLength, 0, false},
    {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", Method::kGet, Framing::kLength, 2,
     false},
    {"1.0 kept", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n",
     Method::kGet, Framing::kLength, 2, true},
    {"HEAD: RFC 9112 6.3 item 1", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::kHead,
     Framing::kNone, 0, true},
    {"HEAD chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Method::kHead,
     Framing::kNone, 0, true},
    {"HEAD without length", "HTTP/1.1 200 OK\r\n\r\n", Method::kHead, Framing::kNone, 0, true},
    {"204", "HTTP/1.1 204 No Content\r\n\r\n", Method::kDelete, Framing::kNone, 0, true},
    {"204 with length", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", Method::kDelete,
     Framing::kNone, 0, true},
    {"304 with length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Method::kGet,
     Framing::kNone, 0, true},
    {"100", "HTTP/1.1 100 Continue\r\n\r\n", Method::kPost, Framing::kNone, 0, true},
    {"103", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", Method::kGet, Framing::kNone, 0,
     true},
    {"CONNECT", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::kConnect, Framing::kNone, 0,
     true},
    {"CONNECT refused", "HTTP/1.1 405 No\r\nContent-Length: 5\r\n\r\n", Method::kConnect,
     Framing::kLength, 5, true},
    {"no reason", "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n", Method::kGet, Framing::kLength, 5,
     true},
    {"no space and no reason", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", Method::kGet,
     Framing::kLength, 5, true},
    {"reason in UTF-8", "HTTP/1.1 404 Nicht gef\xc3\xbcnden\r\nContent-Length: 5\r\n\r\n",
     Method::kGet, Framing::kLength, 5, true},
    {"unknown status", "HTTP/1.1 599 X\r\nContent-Length: 5\r\n\r\n", Method::kGet,
     Framing::kLength, 5, true},
};

TEST(ResponseReader, FindsTheFramingHoweverTheHeadIsCut) {
  for (const Accepted& c : kAccepted) {
    for_each_cut(c.wire + "body", [&](const std::vector<std::string_view>& pieces) {
      ResponseHead head;
      ResponseReader reader(head);
      reader.expect(c.method);
      const Result<size_t> fed = feed_all(reader, pieces);
      ASSERT_TRUE(fed.has_value()) << c.rule << ": " << fed.error().detail;
      ASSERT_TRUE(reader.complete()) << c.rule;
      EXPECT_EQ(*fed, c.wire.size()) << c.rule;
      EXPECT_EQ(head.framing, c.framing) << c.rule;
      EXPECT_EQ(head.content_length, c.length) << c.rule;
      EXPECT_EQ(head.keep_alive, c.keep_alive) << c.rule;
      EXPECT_EQ(std::to_string(head.status), c.wire.substr(9, 3));
    });
  }
}

struct Refused {
  const char* rule;
  std::string wire;
};

std::string with(const std::string& fields) { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n"; }

const Refused kRefused[] = {
    {"RFC 9112 2.2 empty line", "\r\nHTTP/1.1 200 OK\r\n\r\n"},
    {"RFC 9112 2.2 bare LF", "HTTP/1.1 200 OK\nA: b\n\n"},
    {"RFC 9112 2.2 bare CR", with("A: b\rc\r\n")},
    {"RFC 9110 5.5 NUL", with("A: \0\r\n"s)},
    {"RFC 9112 5.2 obs-fold", with("A: b\r\n c\r\n")},
    {"RFC 9112 5.1 space before colon", with("A : b\r\n")},
    {"RFC 9110 5.1 empty name", with(": b\r\n")},
    {"RFC 9112 6.1 both", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
    {"RFC 9112 6.3 two lengths", with("Content-Length: 5\r\nContent-Length: 6\r\n")},
    {"RFC 9110 8.6 length list", with("Content-Length: 5, 5\r\n")},
    {"RFC 9110 8.6 malformed length", with("Content-Length: five\r\n")},
    {"RFC 9112 6.1 unknown coding", with("Transfer-Encoding: gzip, chunked\r\n")},
    {"RFC 9112 7.1 chunked twice", with("Transfer-Encoding: chunked, chunked\r\n")},
    {"RFC 9112 6.1 coding in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"RFC 9112 2.3 version", "HTTP/2.0 200 OK\r\n\r\n"},
    {"RFC 9112 2.3 version 1.2", "HTTP/1.2 200 OK\r\n\r\n"},
    {"RFC 9112 4 no version", "ICY 200 OK\r\n\r\n"},
    {"RFC 9112 4 lower case", "http/1.1 200 OK\r\n\r\n"},
    {"RFC 9112 4 two spaces", "HTTP/1.1  200 OK\r\n\r\n"},
    {"RFC 9112 4 short status", "HTTP/1.1 20 OK\r\n\r\n"},
    {"RFC 9112 4 long status", "HTTP/1.1 2000 OK\r\n\r\n"},
    {"RFC 9112 4 letters", "HTTP/1.1 2x0 OK\r\n\r\n"},
    {"RFC 9110 15 status 099", "HTTP/1.1 099 OK\r\n\r\n"},
    {"RFC 9110 15 status 600", "HTTP/1.1 600 OK\r\n\r\n"},
    {"RFC 9112 4 ssh", "SSH-2.0-OpenSSH_9.2\r\n"},
    {"limits.h head", with("A: " + std::string(96 * 1024, 'a') + "\r\n")},
};

TEST(ResponseReader, RefusesAsUpstreamProtocolHoweverTheHeadIsCut) {
  for (const Refused& c : kRefused) {
    const auto check = [&](const std::vector<std::string_view>& pieces) {
      ResponseHead head;
      ResponseReader reader(head);
      const Result<size_t> fed = feed_all(reader, pieces);
      ASSERT_FALSE(fed.has_value()) << c.rule;
      EXPECT_EQ(fed.error().code, ErrorCode::kUpstreamProtocol) << c.rule;
      EXPECT_FALSE(reader.feed("HTTP/1.1 200 OK\r\n\r\n").has_value()) << "not dead";
    };
    if (c.wire.size() < 4096) {
      for_each_cut(c.wire, check);
    } else {
      check({c.wire});
    }
  }
}

TEST(ResponseReader, RefusesMoreThan128Fields) {
  std::string wire = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 129; ++i) wire += "A: b\r\n";
  ResponseHead head;
  ResponseReader reader(head);
  EXPECT_EQ(reader.feed(wire).error().code, ErrorCode::kUpstreamProtocol);
}

TEST(ResponseReader, SeesAWebSocketUpgrade) {
  ResponseHead head;
  read_response(head,
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: x\r\n\r\n");
  EXPECT_TRUE(head.upgrade_websocket);
  EXPECT_EQ(head.reason, "Switching Protocols");
  EXPECT_EQ(head.find("SEC-WEBSOCKET-ACCEPT"), "x");
}

TEST(ResponseReader, SeesNoUpgradeWithout101OrFields) {
  for (const char* wire : {"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
                           "HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n",
                           "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n",
                           "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"}) {
    ResponseHead head;
    read_response(head, wire);
    EXPECT_FALSE(head.upgrade_websocket) << wire;
  }
}

TEST(ResponseReader, ReadsTheFinalAnswerAfterAnInterimOne) {
  const std::string stream =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
  ResponseHead head;
  ResponseReader reader(head);
  reader.expect(Method::kHead);
  const size_t first = *reader.feed(stream);
  EXPECT_EQ(head.status, 100);
  reader.reset();
  EXPECT_FALSE(reader.started());
  EXPECT_EQ(head.headers.capacity(), 0U);
  EXPECT_EQ(*reader.feed(std::string_view(stream).substr(first)), stream.size() - first - 3);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.framing, Framing::kNone) << "still the answer to HEAD";
}

}  // namespace kg::http::response_reader_test
