// What of a client's request reaches the gateway: one test per promise of forwarding.h.
#include <gmock/gmock.h>

#include "proxy/http/forwarding.h"
#include "tests/unit/http/support.h"

namespace kg::http::forwarding_request_test {

using testing::HasSubstr;
using testing::Not;

RequestRewrite plain() {
  RequestRewrite rewrite;
  rewrite.target = "/api/kernels";
  rewrite.host = "gw.example:8443";
  rewrite.gateway_token = "GATEWAY";
  rewrite.request_id = "rid-1";
  rewrite.trace_id = "Root=1-67891233-abcdef012345678912345678";
  rewrite.peer_address = "192.0.2.7";
  rewrite.scheme = "https";
  rewrite.port = 8443;
  return rewrite;
}

// The request that goes upstream for a client's GET with these fields.
std::string forward(const std::string& fields, const RequestRewrite& rewrite = plain()) {
  RequestHead head;
  read_request(head, "GET /x/api/kernels HTTP/1.1\r\nHost: gw.example:8443\r\n" + fields + "\r\n");
  std::string out;
  append_upstream_request(head, rewrite, out);
  return out;
}

// Everything after the fields that were kept.
const std::string kAdded =
    "Via: 1.1 kernelgate\r\nAuthorization: token GATEWAY\r\nX-Request-Id: rid-1\r\n"
    "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\n"
    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n"
    "X-Forwarded-Host: gw.example:8443\r\n\r\n";
const std::string kStart = "GET /api/kernels HTTP/1.1\r\nHost: gw.example:8443\r\n";

TEST(ForwardRequest, WritesTheWholeHead) { EXPECT_EQ(forward(""), kStart + kAdded); }

TEST(ForwardRequest, IsWhatItsOwnReaderAccepts) {
  RequestHead head;
  read_request(head, forward("Accept: */*\r\n"));
  EXPECT_EQ(head.target, "/api/kernels");
  EXPECT_TRUE(head.keep_alive);
}

TEST(ForwardRequest, AppendsBehindWhatIsThere) {
  RequestHead head;
  read_request(head, "GET / HTTP/1.1\r\nHost: gw.example:8443\r\n\r\n");
  std::string out = "before";
  append_upstream_request(head, plain(), out);
  EXPECT_EQ(out, "before" + kStart + kAdded);
}

TEST(ForwardRequest, KeepsOtherFieldsInOrder) {
  const std::string fields =
      "User-Agent: u\r\nAccept: a\r\nContent-Type: t\r\nAccept: b\r\nCache-Control: \r\n"
      "X-Custom: \xc3\xa4\r\nVia: 1.1 x\r\nX-Amzn-Tls-Version: TLSv1.3\r\n";
  EXPECT_EQ(forward(fields), kStart + fields + kAdded);
}

TEST(ForwardRequest, CountsDownForwardsOfOptions) {  // RFC 9110 section 7.6.2
  const auto options = [](const std::string& fields) {
    RequestHead head;
    read_request(head, "OPTIONS /x HTTP/1.1\r\nHost: gw.example:8443\r\n" + fields + "\r\n");
    std::string out;
    append_upstream_request(head, plain(), out);
    return out;
  };
  EXPECT_NE(options("Max-Forwards: 10\r\n").find("\r\nMax-Forwards: 9\r\n"), std::string::npos);
  for (const char* nothing : {"", "Max-Forwards: 0\r\n", "Max-Forwards: x\r\n"}) {
    EXPECT_EQ(options(nothing).find("Max-Forwards"), std::string::npos) << nothing;
  }
}

TEST(ForwardRequest, AsksForAPlainAnswerIfItMayHaveToBeRead) {
  RequestRewrite rewrite = plain();
  EXPECT_EQ(forward("Accept-Encoding: gzip\r\n", rewrite),
            kStart + "Accept-Encoding: gzip\r\n" + kAdded);
  rewrite.plain_answer = true;
  EXPECT_EQ(forward("Accept-Encoding: gzip\r\n", rewrite), kStart + kAdded);
}

// RFC 9110 sections 13.1 and 14.2.
TEST(ForwardRequest, AsksForTheWholeAnswerWhereItIsReduced) {
  RequestRewrite rewrite = plain();
  const std::string less =
      "If-None-Match: \"x\"\r\nif-modified-since: x\r\nRange: bytes=0-1\r\nIf-Range: x\r\n";
  EXPECT_EQ(forward(less, rewrite), kStart + less + kAdded);
  rewrite.whole_answer = true;
  EXPECT_EQ(forward(less + "Iffy: 1\r\n", rewrite), kStart + "Iffy: 1\r\n" + kAdded);
}

TEST(ForwardRequest, KnowsAFormBody) {  // domain J6
  const auto is_form = [](const std::string& fields) {
    RequestHead head;
    read_request(head, "POST /x HTTP/1.1\r\nHost: gw.example\r\n" + fields + "\r\n");
    return has_form_body(head);
  };
  const std::string form = "Content-Type: Application/X-WWW-Form-Urlencoded;charset=utf-8\r\n";
  EXPECT_TRUE(is_form(form + "Content-Length: 1\r\n"));
  EXPECT_TRUE(is_form("Content-Type: a/b\r\n" + form + "Transfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(is_form("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1\r\n"));
  EXPECT_FALSE(is_form(form));
  EXPECT_FALSE(is_form("Content-Type: application/json\r\nContent-Length: 1\r\n"));
}

TEST(ForwardRequest, DropsHopByHopFields) {  // RFC 9110 section 7.6.1
  for (const char* field :
       {"Connection: keep-alive", "Connection: close", "Keep-Alive: timeout=5", "TE: trailers",
        "Trailer: Digest", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk",
        "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic x", "pRoXy-Anything: x",
        "Max-Forwards: 5", "Expect: 100-continue", "Content-Length: 5",
        "Transfer-Encoding: chunked"}) {
    EXPECT_EQ(forward(std::string(field) + "\r\n"), kStart + kAdded) << field;
  }
}

TEST(ForwardRequest, DropsFieldsThatConnectionNames) {
  EXPECT_EQ(forward("Connection: x-one, X-TWO\r\nX-One: 1\r\nConnection: x-three\r\nX-Two: 2\r\n"
                    "X-Three: 3\r\nX-Four: 4\r\nx-one: 5\r\n"),
            kStart + "X-Four: 4\r\n" + kAdded);
}

TEST(ForwardRequest, ConnectionCannotNameWhatTheProxyAdds) {
  EXPECT_EQ(forward("Connection: x-forwarded-for, x-forwarded-proto, host, authorization, "
                    "x-request-id, x-amzn-trace-id, content-length\r\n"),
            kStart + kAdded);
  RequestRewrite rewrite = plain();
  rewrite.peer_trusted = true;
  EXPECT_THAT(forward("Connection: x-forwarded-for\r\nX-Forwarded-For: 203.0.113.9\r\n", rewrite),
              HasSubstr("X-Forwarded-For: 203.0.113.9, 192.0.2.7\r\n"));
}

TEST(ForwardRequest, ManyConnectionNamesStayCheap) {
  std::string names = "Connection: a";
  while (names.size() < 80 * 1024) names += ",b";
  std::string fields = names + "\r\nA: 1\r\nB: 2\r\n";
  for (int i = 0; i < 120; ++i) fields += "C: 3\r\n";
  const std::string out = forward(fields);
  EXPECT_THAT(out, Not(HasSubstr("A: 1")));
  EXPECT_THAT(out, HasSubstr("C: 3"));
}

TEST(ForwardRequest, CredentialsNeverSurvive) {  // domain J6, R12, G27, A18
  const std::string credentials =
      "Authorization: Bearer SECRET\r\nAUTHORIZATION: token SECRET\r\nCookie: s=SECRET\r\n"
      "cookie: t=SECRET\r\nProxy-Authorization: SECRET\r\nX-Amzn-Oidc-Data: SECRET\r\n"
      "X-Amzn-Oidc-Accesstoken: SECRET\r\nX-Amzn-Mtls-Clientcert: SECRET\r\n"
      "Remote-User: SECRET\r\nX-Remote-Group: SECRET\r\nx-auth-request-email: SECRET\r\n"
      "Access-Control-Request-Headers: SECRET\r\n"
      "Sec-WebSocket-Protocol: v1.token.websocket.jupyter.org.SECRET\r\n"
      "Referer: https://gw.example/lab?token=SECRET\r\n";
  EXPECT_THAT(forward(credentials), Not(HasSubstr("SECRET")));
  RequestRewrite rewrite = plain();
  rewrite.websocket = true;
  rewrite.peer_trusted = true;
  rewrite.websocket_protocols = "v1.kernel.websocket.jupyter.org";
  EXPECT_THAT(forward(credentials, rewrite), Not(HasSubstr("SECRET")));
}

TEST(ForwardRequest, TellsWhoAsksAndBelievesNoClientOfIt) {
  const std::vector<IdentityField> identity = {{"X-Kernel-User", "alice"}, {"X-Kernel-Role", ""}};
  RequestRewrite rewrite = plain();
  rewrite.identity = identity;
  const std::string head =
      forward("x-kernel-user: mallory\r\nX-KERNEL-ROLE: root\r\nX-Kernel-Users: kept\r\n", rewrite);
  EXPECT_THAT(head, HasSubstr("\r\nX-Kernel-User: alice\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nX-Kernel-Users: kept\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("mallory")));
  EXPECT_THAT(head, Not(HasSubstr("root")));
}

TEST(ForwardRequest, NoGatewayTokenMeansNoAuthorization) {
  RequestRewrite rewrite = plain();
  rewrite.gateway_token = "";
  EXPECT_THAT(forward("Authorization: token SECRET\r\n", rewrite), Not(HasSubstr("uthorization")));
}

TEST(ForwardRequest, DropsOriginAndForgeableFields) {
  for (const char* field : {"Origin: https://evil", "Forwarded: for=1.1.1.1", "X-Real-IP: 1.1.1.1",
                            "X-Forwarded-Ssl: on", "X-Forwarded-Prefix: /x", "X-Request-ID: forged",
                            "X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: http"}) {
    EXPECT_EQ(forward(std::string(field) + "\r\n"), kStart + kAdded) << field;
  }
}

TEST(ForwardRequest, KeepsARefererWithoutQuery) {
  EXPECT_THAT(forward("Referer: https://gw.example/lab\r\n"),
              HasSubstr("Referer: https://gw.example/lab\r\n"));
}

TEST(ForwardRequest, DropsNamesThatSmuggle) {  // domain A17
  for (const char* field : {"X_Forwarded_For: 1.1.1.1", "Content_Length: 5", "A.b: c", "A!: b"}) {
    EXPECT_EQ(forward(std::string(field) + "\r\n"), kStart + kAdded) << field;
  }
}

TEST(ForwardRequest, TrustedProxyKeepsItsForwardedFields) {  // domain A15
  RequestRewrite rewrite = plain();
  rewrite.peer_trusted = true;
  const std::string out = forward(
      "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 443\r\n"
      "X-Forwarded-Host: public.example\r\nx-forwarded-for: 198.51.100.1\r\n",
      rewrite);
  EXPECT_THAT(out, HasSubstr("X-Forwarded-For: 203.0.113.9, 198.51.100.1, 192.0.2.7\r\n"
                             "X-Forwarded-Proto: http\r\nX-Forwarded-Port: 443\r\n"
                             "X-Forwarded-Host: public.example\r\n\r\n"));
}

TEST(ForwardRequest, TrustedProxyWithoutForwardedFieldsGetsThemMade) {
  RequestRewrite rewrite = plain();
  rewrite.peer_trusted = true;
  EXPECT_EQ(forward("X-Forwarded-For:\r\n", rewrite), kStart + kAdded);
}

TEST(ForwardRequest, FramesTheBodyAnew) {
  RequestRewrite rewrite = plain();
  rewrite.framing = Framing::kLength;
  rewrite.content_length = 18446744073709551615U;
  EXPECT_EQ(forward("Transfer-Encoding: chunked\r\n", rewrite),
            kStart + "Content-Length: 18446744073709551615\r\n" + kAdded);
  rewrite.framing = Framing::kChunked;
  EXPECT_EQ(forward("Content-Length: 5\r\n", rewrite),
            kStart + "Transfer-Encoding: chunked\r\n" + kAdded);
}

TEST(ForwardRequest, JsonBodyReplacesTheContentType) {
  RequestRewrite rewrite = plain();
  rewrite.json_body = true;
  EXPECT_EQ(forward("Content-Type: text/plain\r\nAccept: a\r\n", rewrite),
            kStart + "Accept: a\r\nContent-Type: application/json\r\n" + kAdded);
}

TEST(ForwardRequest, WebSocketsUpgradeTowardsTheGateway) {
  RequestRewrite rewrite = plain();
  rewrite.websocket = true;
  rewrite.websocket_protocols = "v1.kernel.websocket.jupyter.org";
  const std::string kept =
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  EXPECT_EQ(forward("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" + kept +
                        "Sec-WebSocket-Protocol: a, b\r\nOrigin: https://x\r\n",
                    rewrite),
            kStart + kept +
                "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Protocol: v1.kernel.websocket.jupyter.org\r\n" +
                kAdded);
  rewrite.websocket_protocols = "";
  EXPECT_THAT(forward("Sec-WebSocket-Protocol: a\r\n", rewrite),
              Not(HasSubstr("Sec-WebSocket-Protocol")));
}

TEST(ForwardRequest, WebSocketFieldsCrossForWebSocketsOnly) {
  EXPECT_EQ(forward("Sec-WebSocket-Key: x\r\nSec-WebSocket-Protocol: y\r\n"), kStart + kAdded);
}

TEST(ForwardRequest, NamesNoForwardedHostWithoutHost) {
  RequestHead head;
  read_request(head, "GET / HTTP/1.0\r\n\r\n");
  std::string out;
  append_upstream_request(head, plain(), out);
  EXPECT_THAT(out, Not(HasSubstr("X-Forwarded-Host")));
}

std::string trace_of(const std::string& fields) {
  RequestHead head;
  read_request(head, "GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
  return trace_id_for(head, 0x67891233);
}

TEST(TraceId, IsKeptIfWellFormed) {  // domain A16
  for (const char* id : {"Root=1-67891233-abcdef012345678912345678",
                         "Self=1-67891234-12456789abcdef012345678;"
                         "Root=1-67891233-abcdef012345678912345678",
                         "Root=1-67891233-ABCDEF012345678912345678;CalledFrom=app"}) {
    EXPECT_EQ(trace_of("X-Amzn-Trace-Id: " + std::string(id) + "\r\n"), id);
  }
}

TEST(TraceId, IsMadeOtherwise) {
  const std::string root = "Root=1-67891233-abcdef012345678912345678";
  for (const std::string& fields :
       {std::string(), std::string("X-Amzn-Trace-Id:\r\n"), "X-Amzn-Trace-Id: " + root + "0\r\n",
        "X-Amzn-Trace-Id: " + root.substr(0, 39) + "g\r\n", "X-Amzn-Trace-Id: " + root + ";bad\r\n",
        "X-Amzn-Trace-Id: " + root + ";=x\r\n", "X-Amzn-Trace-Id: " + root + ";a=b c\r\n",
        "X-Amzn-Trace-Id: " + root + ";" + root + "\r\n",
        "X-Amzn-Trace-Id: " + root + ";a=" + std::string(600, 'x') + "\r\n",
        "X-Amzn-Trace-Id: " + root + "\r\nX-Amzn-Trace-Id: " + root + "\r\n",
        std::string("X-Amzn-Trace-Id: Self=1-67891233-abcdef012345678912345678\r\n")}) {
    const std::string made = trace_of(fields);
    EXPECT_THAT(made, testing::MatchesRegex("Root=1-67891233-[0-9a-f]+")) << fields;
    EXPECT_EQ(made.size(), root.size());
    EXPECT_NE(made, root);
  }
  EXPECT_NE(trace_of(""), trace_of("")) << "unique";
}

TEST(ForwardedClient, IsTheRightMostAddress) {  // domain A15
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"},
      {"X-Forwarded-For: evil, 192.0.2.1 , 198.51.100.2\r\n", "198.51.100.2"},
      {"X-Forwarded-For: 192.0.2.1\r\nx-forwarded-for: 198.51.100.2\r\n", "198.51.100.2"},
      {"X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1"},
      {"X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1"},
      {"X-Forwarded-For: [2001:db8::1]:4711\r\n", "2001:db8::1"},
      {"X-Forwarded-For: [2001:db8::1]\r\n", "2001:db8::1"},
      {"X-Forwarded-For: 192.0.2.1,\r\n", ""},
      {"X-Forwarded-For: 192.0.2.1, unknown\r\n", ""},
      {"X-Forwarded-For: 192.0.2.1:x\r\n", ""},
      {"X-Forwarded-For: 192.0.2.256\r\n", ""},
      {"X-Forwarded-For: [\r\n", ""},
      {"X-Forwarded-For: [::1\r\n", ""},
      {"X-Forwarded-For: [::1]x\r\n", ""},
      {"X-Forwarded-For: []\r\n", ""},
      {"X-Forwarded-For: ]\r\n", ""},
  };
  for (const auto& [fields, address] : cases) {
    RequestHead head;
    read_request(head, "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n");
    EXPECT_EQ(forwarded_client(head), address) << fields;
  }
}

}  // namespace kg::http::forwarding_request_test
