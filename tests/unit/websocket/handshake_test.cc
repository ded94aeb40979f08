#include "proxy/websocket/handshake.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kg::websocket::handshake_test {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";         // RFC 6455 section 1.3
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // and its answer
constexpr std::string_view kV1 = "v1.kernel.websocket.jupyter.org";   // domain G25
constexpr std::string_view kToken = "v1.token.websocket.jupyter.org.s3cr3t";  // domain G27

using Headers = std::vector<http::Header>;

struct Request {
  Request() : Request(Headers{}) {}
  explicit Request(const Headers& more) {
    head.method = http::Method::kGet;
    head.upgrade_websocket = true;
    head.headers = {{"Host", "kernels.example.com"},
                    {"Upgrade", "websocket"},
                    {"Connection", "Upgrade"},
                    {"sec-websocket-KEY", kKey},
                    {"sec-websocket-version", "13"}};
    head.headers.insert(head.headers.end(), more.begin(), more.end());
  }
  void set(std::string_view name, std::string_view value) {
    for (http::Header& header : head.headers) {
      if (header.name == name) header.value = value;
    }
  }
  http::RequestHead head;
};

ErrorCode request_error(const Request& request) {
  const Result<void> result = check_request(request.head);
  return result ? ErrorCode::kNone : result.error().code;
}

ErrorCode response_error(const Request& request, const Headers& headers,
                         const std::string& offered = "", uint16_t status = 101) {
  http::ResponseHead response;
  response.status = status;
  response.upgrade_websocket = status == 101;
  response.headers = headers;
  const Result<void> result = check_response(response, request.head, offered);
  return result ? ErrorCode::kNone : result.error().code;
}

TEST(CheckRequest, TakesTheExampleOfTheRfc) {
  EXPECT_EQ(request_error(Request{}), ErrorCode::kNone);
}

TEST(CheckRequest, TakesAContentLengthOfZero) {
  Request request;
  request.head.framing = http::Framing::kLength;
  EXPECT_EQ(request_error(request), ErrorCode::kNone);
}

TEST(CheckRequest, AsksForVersion13) {
  for (const std::string_view version : {"8", "0", "14", "13, 8", "013", ""}) {
    Request request;
    request.set("sec-websocket-version", version);
    EXPECT_EQ(request_error(request), ErrorCode::kUpgradeRequired) << version;
  }
}

TEST(CheckRequest, RefusesAMissingOrRepeatedVersion) {
  Request missing;
  missing.head.headers.pop_back();
  EXPECT_EQ(request_error(missing), ErrorCode::kBadRequest);
  EXPECT_EQ(request_error(Request(Headers{{"Sec-WebSocket-Version", "13"}})),
            ErrorCode::kBadRequest);
}

TEST(CheckRequest, RefusesMalformedKeys) {
  for (const std::string_view key :
       {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZS4=", "dGhlIHNhbXBsZSBub25jZS4u",
        "dGhlIHNhbXBsZSBub25j_Q==", "dGhlIHNhbXBs SBub25jZQ==", "dGhlIHNhbXBsZSBub2=jZQ=="}) {
    Request request;
    request.set("sec-websocket-KEY", key);
    EXPECT_EQ(request_error(request), ErrorCode::kBadRequest) << key;
  }
  EXPECT_EQ(request_error(Request(Headers{{"Sec-WebSocket-Key", kKey}})), ErrorCode::kBadRequest);
}

TEST(CheckRequest, RefusesWhatIsNoPlainUpgrade) {
  Request plain;
  plain.head.upgrade_websocket = false;
  EXPECT_EQ(request_error(plain), ErrorCode::kBadRequest);
  Request head;
  head.head.method = http::Method::kHead;
  EXPECT_EQ(request_error(head), ErrorCode::kBadRequest);
  Request old;
  old.head.version_minor = 0;
  EXPECT_EQ(request_error(old), ErrorCode::kBadRequest);
  Request chunked;
  chunked.head.framing = http::Framing::kChunked;
  EXPECT_EQ(request_error(chunked), ErrorCode::kBadRequest);
  Request sized;
  sized.head.framing = http::Framing::kLength;
  sized.head.content_length = 1;
  EXPECT_EQ(request_error(sized), ErrorCode::kBadRequest);
}

TEST(AcceptValue, IsThatOfTheRfc) { EXPECT_EQ(accept_value(kKey), kAccept); }

TEST(CheckResponse, TakesTheRightAccept) {
  EXPECT_EQ(response_error(Request{}, {{"sec-websocket-accept", kAccept}}), ErrorCode::kNone);
}

TEST(CheckResponse, RefusesAnotherAccept) {
  EXPECT_EQ(response_error(Request{}, {}), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(response_error(Request{}, {{"Sec-WebSocket-Accept", ""}}),
            ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(response_error(Request{}, {{"Sec-WebSocket-Accept", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="}}),
            ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(response_error(Request{},
                           {{"Sec-WebSocket-Accept", kAccept}, {"Sec-WebSocket-Accept", kAccept}}),
            ErrorCode::kUpstreamProtocol);
}

TEST(CheckResponse, RefusesWhatIsNoUpgrade) {
  EXPECT_EQ(response_error(Request{}, {{"Sec-WebSocket-Accept", kAccept}}, "", 200),
            ErrorCode::kUpstreamProtocol);
}

TEST(CheckResponse, TakesOneOfferedSubprotocolOrNone) {
  const auto chosen = [](const Headers& more, const std::string& offered) {
    Headers headers = {{"Sec-WebSocket-Accept", kAccept}};
    headers.insert(headers.end(), more.begin(), more.end());
    return response_error(Request{}, headers, offered);
  };
  const std::string offered = "other, " + std::string(kV1);
  EXPECT_EQ(chosen({{"Sec-WebSocket-Protocol", kV1}}, offered), ErrorCode::kNone);
  EXPECT_EQ(chosen({{"sec-websocket-protocol", "other"}}, offered), ErrorCode::kNone);
  EXPECT_EQ(chosen({}, offered), ErrorCode::kNone);
  EXPECT_EQ(chosen({{"Sec-WebSocket-Protocol", kV1}}, ""), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(chosen({{"Sec-WebSocket-Protocol", "Other"}}, offered), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(chosen({{"Sec-WebSocket-Protocol", ""}}, offered), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(chosen({{"Sec-WebSocket-Protocol", offered}}, offered), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(chosen({{"Sec-WebSocket-Protocol", kV1}, {"Sec-WebSocket-Protocol", kV1}}, offered),
            ErrorCode::kUpstreamProtocol);
}

TEST(CheckResponse, TakesOnlyOfferedExtensions) {
  const Request request(
      Headers{{"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"},
              {"Sec-WebSocket-Extensions", "x-other"}});
  const auto extension = [](const Request& from, std::string_view value) {
    return response_error(from,
                          {{"Sec-WebSocket-Accept", kAccept}, {"Sec-WebSocket-Extensions", value}});
  };
  EXPECT_EQ(extension(request, "permessage-deflate"), ErrorCode::kNone);
  EXPECT_EQ(extension(request, "x-other, permessage-deflate ; server_no_context_takeover"),
            ErrorCode::kNone);
  EXPECT_EQ(extension(request, "x-unknown"), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(extension(request, "permessage-deflate, x-unknown"), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(extension(Request{}, "permessage-deflate"), ErrorCode::kUpstreamProtocol);
}

TEST(OfferedProtocols, AreJoinedInOrder) {
  EXPECT_EQ(offered_protocols(Request{}.head), "");
  EXPECT_EQ(offered_protocols(Request(Headers{{"Sec-WebSocket-Protocol", kV1}}).head), kV1);
  EXPECT_EQ(offered_protocols(Request(Headers{{"sec-websocket-protocol", "a ,b"},
                                              {"Sec-WebSocket-Protocol", " , c"}})
                                  .head),
            "a, b, c");
}

TEST(OfferedProtocols, LeaveCredentialsOut) {
  const std::string both = std::string(kToken) + ", " + std::string(kV1);
  EXPECT_EQ(offered_protocols(Request(Headers{{"Sec-WebSocket-Protocol", both}}).head), kV1);
  EXPECT_EQ(offered_protocols(Request(Headers{{"Sec-WebSocket-Protocol", kToken}}).head), "");
  const std::string upper = "V1.TOKEN.websocket.jupyter.org.x";
  EXPECT_EQ(offered_protocols(Request(Headers{{"Sec-WebSocket-Protocol", upper}}).head), "");
  // The bare name is a protocol that may be chosen, and holds no credential.
  const std::string bare = "v1.token.websocket.jupyter.org";
  EXPECT_EQ(offered_protocols(Request(Headers{{"Sec-WebSocket-Protocol", bare}}).head), bare);
}

TEST(OfferedProtocols, ACredentialIsNeverAChoice) {
  const Request request(Headers{{"Sec-WebSocket-Protocol", kToken}});
  EXPECT_EQ(response_error(request,
                           {{"Sec-WebSocket-Accept", kAccept}, {"Sec-WebSocket-Protocol", kToken}},
                           offered_protocols(request.head)),
            ErrorCode::kUpstreamProtocol);
}

ErrorCode reconnect_error(const Headers& headers, std::string_view protocol) {
  http::ResponseHead response;
  response.status = 101;
  response.upgrade_websocket = true;
  response.headers = headers;
  const Result<void> result = check_reconnect(response, kKey, protocol);
  return result ? ErrorCode::kNone : result.error().code;
}

TEST(CheckReconnect, TakesTheSameAsBeforeAlone) {
  const http::Header accept{"Sec-WebSocket-Accept", kAccept};
  const http::Header v1{"Sec-WebSocket-Protocol", kV1};
  EXPECT_EQ(reconnect_error({accept}, ""), ErrorCode::kNone);
  EXPECT_EQ(reconnect_error({accept, v1}, kV1), ErrorCode::kNone);
  EXPECT_EQ(reconnect_error({accept}, kV1), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(reconnect_error({accept, v1}, ""), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(reconnect_error({accept, v1, v1}, kV1), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(reconnect_error({accept, {"Sec-WebSocket-Extensions", "permessage-deflate"}}, ""),
            ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(reconnect_error({accept, accept}, ""), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(reconnect_error({{"Sec-WebSocket-Accept", "no"}}, ""), ErrorCode::kUpstreamProtocol);
}

TEST(NewKey, IsOneThatARequestMayHave) {
  Request request;
  const std::string key = new_key();
  request.set("sec-websocket-KEY", key);
  EXPECT_EQ(request_error(request), ErrorCode::kNone);
  EXPECT_NE(new_key(), key);
}

}  // namespace kg::websocket::handshake_test
