// What of a gateway's response reaches the client: one test per promise of forwarding.h.
#include <gmock/gmock.h>

#include "proxy/http/forwarding.h"
#include "tests/unit/http/support.h"

namespace kg::http::forwarding_response_test {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

ResponseRewrite sized(uint64_t length) {
  ResponseRewrite rewrite;
  rewrite.request_id = "rid-1";
  rewrite.framing = Framing::kLength;
  rewrite.content_length = length;
  return rewrite;
}

std::string forward(const std::string& wire, const ResponseRewrite& rewrite,
                    Method method = Method::kGet) {
  ResponseHead head;
  read_response(head, wire, method);
  std::string out;
  append_client_response(head, rewrite, out);
  return out;
}
std::string forward_fields(const std::string& fields, const ResponseRewrite& rewrite = sized(5)) {
  return forward("HTTP/1.1 200 OK\r\n" + fields + "\r\n", rewrite);
}

const std::string kAdded = "Content-Length: 5\r\nX-Request-Id: rid-1\r\n\r\n";

TEST(ForwardResponse, HasADate) {  // RFC 9110 section 6.6.1
  ResponseHead head;
  read_response(head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  ResponseRewrite rewrite;
  rewrite.framing = Framing::kLength;
  rewrite.now_seconds = 784'111'777;
  std::string out;
  append_client_response(head, rewrite, out);
  EXPECT_NE(out.find("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), std::string::npos) << out;
}

TEST(ForwardResponse, AnErrorLosesWhatDescribedItsBody) {
  ResponseHead head;
  read_response(head,
                "HTTP/1.1 500 Oops\r\nContent-Length: 9\r\nContent-Type: text/html\r\n"
                "Content-Encoding: gzip\r\nContent-MD5: x\r\nETag: \"x\"\r\nDigest: x\r\n"
                "Last-Modified: x\r\nAccept-Ranges: bytes\r\nServer: x\r\nDate: d\r\n"
                "Content-Security-Policy: default-src\r\nRetry-After: 5\r\n\r\n");
  ResponseRewrite rewrite;
  rewrite.request_id = "rid-1";
  rewrite.close = true;
  std::string out;
  append_client_error(head, rewrite, out);
  EXPECT_EQ(out,
            "HTTP/1.1 500 Oops\r\nDate: d\r\nContent-Security-Policy: default-src\r\n"
            "Retry-After: 5\r\nContent-Type: application/json\r\nX-Request-Id: rid-1\r\n"
            "Connection: close\r\n");
}

TEST(ForwardResponse, WritesTheWholeHead) {
  EXPECT_EQ(forward("HTTP/1.0 404 Nicht da\r\nContent-Length: 5\r\n\r\n", sized(5)),
            "HTTP/1.1 404 Nicht da\r\n" + kAdded);
}

TEST(ForwardResponse, KeepsOtherFieldsInOrder) {
  const std::string fields =
      "Date: d\r\nContent-Type: application/json\r\nX-Two: a=b\r\nX-Two: c=d\r\n"
      "X_Under: u\r\nEtag: \"e\"\r\n";
  EXPECT_EQ(forward_fields(fields), "HTTP/1.1 200 OK\r\n" + fields + kAdded);
}

TEST(ForwardResponse, DropsHopByHopAndGatewayFields) {
  for (const char* field :
       {"Connection: close", "Keep-Alive: timeout=5", "Trailer: Digest", "Upgrade: h2c",
        "Proxy-Authenticate: Basic", "TE: trailers", "Server: TornadoServer/6.4",
        "X-Request-Id: theirs", "Alt-Svc: h3=\":443\"", "Content-Length: 9",
        "Transfer-Encoding: chunked", "Set-Cookie: session=theirs", "set-cookie: a=b",
        "Access-Control-Allow-Origin: *", "access-control-allow-credentials: true"}) {
    EXPECT_EQ(forward_fields(std::string(field) + "\r\n"), "HTTP/1.1 200 OK\r\n" + kAdded) << field;
  }
}

TEST(ForwardResponse, DropsFieldsThatConnectionNames) {
  EXPECT_EQ(forward_fields("Connection: x-one, x-request-id\r\nX-One: 1\r\nX-Two: 2\r\n"),
            "HTTP/1.1 200 OK\r\nX-Two: 2\r\n" + kAdded);
}

TEST(ForwardResponse, APageThatMayReadItIsNamed) {
  ResponseRewrite rewrite = sized(5);
  rewrite.page.vary = true;
  EXPECT_THAT(forward_fields("Vary: Accept\r\nAccess-Control-Allow-Origin: *\r\n", rewrite),
              AllOf(HasSubstr("Vary: Accept\r\n"), HasSubstr("Vary: Origin\r\n"),
                    Not(HasSubstr("Access-Control"))));
  rewrite.page.origin = "https://lab.test";
  EXPECT_THAT(forward_fields("", rewrite),
              HasSubstr("Vary: Origin\r\nAccess-Control-Allow-Origin: https://lab.test\r\n"
                        "Access-Control-Allow-Credentials: true\r\n"));
}

TEST(ForwardResponse, ASubprotocolOfOursIsSaid) {
  ResponseRewrite rewrite = sized(5);
  rewrite.websocket_protocol = "v1.token.websocket.jupyter.org";
  EXPECT_THAT(forward_fields("", rewrite),
              HasSubstr("Sec-WebSocket-Protocol: v1.token.websocket.jupyter.org\r\n"));
}

TEST(ForwardResponse, LocationRegainsThePrefix) {
  ResponseRewrite rewrite = sized(5);
  rewrite.location_prefix = "/ep";
  const std::pair<const char*, const char*> cases[] = {
      {"/api/kernels/1", "/ep/api/kernels/1"},
      {"/", "/ep/"},
      {"//other.example/a", "//other.example/a"},
      {"https://other.example/a", "https://other.example/a"},
      {"relative", "relative"},
      {"", ""},
  };
  for (const auto& [location, expected] : cases) {
    EXPECT_THAT(forward_fields("location: " + std::string(location) + "\r\n", rewrite),
                HasSubstr("ocation: " + std::string(expected) + "\r\n"));
  }
  EXPECT_THAT(forward_fields("Location: /api\r\n"), HasSubstr("Location: /api\r\n"));
}

TEST(ForwardResponse, FramesTheBodyAnew) {
  ResponseRewrite rewrite = sized(0);
  rewrite.framing = Framing::kChunked;
  EXPECT_EQ(forward_fields("Content-Length: 5\r\n", rewrite),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Request-Id: rid-1\r\n\r\n");
  rewrite.framing = Framing::kUntilClose;
  rewrite.close = true;
  EXPECT_EQ(forward_fields("", rewrite),
            "HTTP/1.1 200 OK\r\nX-Request-Id: rid-1\r\nConnection: close\r\n\r\n");
  rewrite.framing = Framing::kNone;
  EXPECT_THAT(forward_fields("", rewrite), HasSubstr("Content-Length: 0\r\n"));
}

TEST(ForwardResponse, HeadKeepsTheLengthOfTheGateway) {  // RFC 9110 section 9.3.2
  ResponseRewrite rewrite = sized(0);
  rewrite.framing = Framing::kNone;
  rewrite.body_allowed = false;
  EXPECT_EQ(forward("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n", rewrite, Method::kHead),
            "HTTP/1.1 200 OK\r\nContent-Length: 77\r\nX-Request-Id: rid-1\r\n\r\n");
  EXPECT_EQ(
      forward("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", rewrite, Method::kHead),
      "HTTP/1.1 200 OK\r\nX-Request-Id: rid-1\r\n\r\n");
}

TEST(ForwardResponse, NotModifiedKeepsTheLengthOfTheGateway) {  // RFC 9110 section 8.6
  for (const bool body_allowed : {false, true}) {
    ResponseRewrite rewrite = sized(0);
    rewrite.framing = Framing::kNone;
    rewrite.body_allowed = body_allowed;
    EXPECT_EQ(forward("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", rewrite),
              "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nX-Request-Id: rid-1\r\n\r\n");
  }
}

TEST(ForwardResponse, NoContentNamesNoLength) {  // RFC 9110 section 8.6
  for (const bool body_allowed : {false, true}) {
    ResponseRewrite rewrite = sized(0);
    rewrite.framing = Framing::kNone;
    rewrite.body_allowed = body_allowed;
    EXPECT_EQ(forward("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", rewrite),
              "HTTP/1.1 204 No Content\r\nX-Request-Id: rid-1\r\n\r\n");
  }
}

TEST(ForwardResponse, SaysWhatBecomesOfTheConnection) {
  ResponseRewrite rewrite = sized(5);
  EXPECT_THAT(forward_fields("Connection: close\r\n", rewrite), Not(HasSubstr("Connection")));
  rewrite.client_http_1_0 = true;
  EXPECT_THAT(forward_fields("", rewrite), HasSubstr("Connection: keep-alive\r\n"));
  rewrite.close = true;
  EXPECT_THAT(forward_fields("", rewrite), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(forward_fields("", rewrite), Not(HasSubstr("keep-alive")));
}

TEST(ForwardResponse, SwitchingProtocolsKeepsTheHandshake) {  // RFC 6455 section 4.2.2
  ResponseRewrite rewrite;
  rewrite.request_id = "rid-1";
  rewrite.body_allowed = false;
  EXPECT_EQ(forward("HTTP/1.1 101 Switching Protocols\r\nServer: T\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n"
                    "Sec-WebSocket-Protocol: p\r\n\r\n",
                    rewrite),
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n"
            "Sec-WebSocket-Protocol: p\r\nX-Request-Id: rid-1\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST(ForwardInterim, KeepsEndToEndFieldsAlone) {  // RFC 9110 section 15.2
  ResponseHead head;
  read_response(head,
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x-hop\r\nX-Hop: 1\r\n"
                "Content-Length: 5\r\nServer: T\r\n\r\n");
  std::string out;
  append_client_interim(head, out);
  EXPECT_EQ(out, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

}  // namespace kg::http::forwarding_response_test
