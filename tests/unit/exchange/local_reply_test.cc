#include "proxy/exchange/local_reply.h"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy/http/head_reader.h"

namespace kg::exchange::local_reply_test {

using testing::HasSubstr;
using testing::Not;

// A reply taken apart by the reader that a client of ours would be.
struct Parsed {
  uint16_t status = 0;
  std::string reason;
  std::multimap<std::string, std::string> fields;
  std::string body;

  std::string field(const std::string& name) const {
    EXPECT_LE(fields.count(name), 1U) << name;
    const auto found = fields.find(name);
    return found == fields.end() ? "" : found->second;
  }
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
};

Parsed parse(const std::string& bytes) {
  http::ResponseHead head;
  http::ResponseReader reader(head);
  const Result<size_t> taken = reader.feed(bytes);
  EXPECT_TRUE(taken.has_value() && reader.complete()) << bytes;
  Parsed parsed{head.status, std::string(head.reason), {}, ""};
  for (const http::Header& field : head.headers) {
    parsed.fields.emplace(field.name, field.value);
  }
  if (taken) parsed.body = bytes.substr(*taken);
  return parsed;
}

Parsed error_reply(const Error& error, const LocalReply& reply = {"id-1"}) {
  std::string out;
  append_error_reply(error, reply, out);
  return parse(out);
}

TEST(LocalReply, EveryErrorThatHasAStatusIsAWholeAnswer) {
  for (uint8_t i = 0; i < kErrorCodeCount; ++i) {
    const ErrorRow& row = error_row(static_cast<ErrorCode>(i));
    if (row.status == 0) continue;
    const Parsed reply = error_reply({row.code, "", 0});
    EXPECT_EQ(reply.status, row.status) << row.label;
    EXPECT_EQ(reply.reason, reason_phrase(row.status));
    EXPECT_NE(reply.reason, "") << row.status;
    EXPECT_EQ(reply.field("Content-Type"), "application/json");
    EXPECT_EQ(reply.field("Content-Length"), std::to_string(reply.body.size()));
    EXPECT_EQ(reply.field("Cache-Control"), "no-store");
    EXPECT_EQ(reply.field("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(reply.field("X-Request-Id"), "id-1");
    EXPECT_EQ(reply.field("Date").size(), 29U);
    const nlohmann::json body = reply.json();
    ASSERT_TRUE(body.is_object()) << reply.body;
    EXPECT_EQ(body.size(), 3U);
    EXPECT_EQ(body["reason"], reply.reason);
    EXPECT_EQ(body["request_id"], "id-1");
    EXPECT_EQ(body["message"], std::string(row.cause) + " " + std::string(row.remedy));
  }
}

TEST(LocalReply, DetailsStandInBrackets) {
  EXPECT_EQ(error_reply({ErrorCode::kBadRequest, "bare CR", 0}).json()["message"],
            "The request is not valid HTTP/1.1 or names its target ambiguously (bare CR). Send the "
            "request as RFC 9112 says, with a plain path.");
  EXPECT_THAT(error_reply({ErrorCode::kUpstreamConnect, "connect", 111}).body,
              HasSubstr("(connect)"));
}

TEST(LocalReply, DetailsOfSessionsAndOfOurselvesStayHere) {
  for (const ErrorCode code : {ErrorCode::kUnauthorized, ErrorCode::kSessionExpired,
                               ErrorCode::kForbidden, ErrorCode::kInternal}) {
    EXPECT_THAT(error_reply({code, "telltale", 0}).body, Not(HasSubstr("telltale")));
  }
}

TEST(LocalReply, StatusesBringTheirFields) {
  const Parsed unauthorized = error_reply({ErrorCode::kUnauthorized, "", 0});
  EXPECT_THAT(unauthorized.field("WWW-Authenticate"), HasSubstr("Bearer"));
  EXPECT_EQ(unauthorized.field("Allow"), "");
  LocalReply with_methods{"id-1"};
  with_methods.allow = "GET, DELETE";
  EXPECT_EQ(error_reply({ErrorCode::kMethodNotAllowed, "", 0}, with_methods).field("Allow"),
            "GET, DELETE");
  const Parsed upgrade = error_reply({ErrorCode::kUpgradeRequired, "", 0});
  EXPECT_EQ(upgrade.field("Upgrade"), "websocket");
  EXPECT_EQ(upgrade.field("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(upgrade.field("Connection"), "Upgrade");
  for (const ErrorCode code :
       {ErrorCode::kDraining, ErrorCode::kOverloaded, ErrorCode::kUpstreamBusy}) {
    EXPECT_NE(error_reply({code, "", 0}).field("Retry-After"), "");
  }
  EXPECT_EQ(error_reply({ErrorCode::kNoRoute, "", 0}).field("Retry-After"), "");
}

TEST(LocalReply, SaysWhetherTheConnectionLives) {
  const Error error{ErrorCode::kNoRoute, "", 0};
  EXPECT_EQ(error_reply(error, {"x"}).field("Connection"), "keep-alive");
  EXPECT_EQ(error_reply(error, {"x", /*close=*/true}).field("Connection"), "close");
  EXPECT_EQ(error_reply({ErrorCode::kUpgradeRequired, "", 0}, {"x", true}).field("Connection"),
            "close, Upgrade");
}

TEST(LocalReply, HeadGetsTheHeadOnly) {
  const Error error{ErrorCode::kNoRoute, "", 0};
  const Parsed with_body = error_reply(error);
  const Parsed head_only = error_reply(error, {"id-1", false, /*head_only=*/true});
  EXPECT_EQ(head_only.body, "");
  EXPECT_EQ(head_only.field("Content-Length"), with_body.field("Content-Length"));
}

TEST(LocalReply, IsAppendedToWhatIsThere) {
  std::string out(kContinue);
  append_error_reply({ErrorCode::kNoRoute, "", 0}, {"x"}, out);
  EXPECT_EQ(out.rfind(kContinue, 0), 0U);
  EXPECT_THAT(out, HasSubstr("\r\n\r\nHTTP/1.1 404 Not Found\r\n"));
}

TEST(LocalReply, HealthIsAStatusAndASentence) {
  std::string out;
  append_health_reply(true, "ready", {"x"}, out);
  const Parsed ok = parse(out);
  EXPECT_EQ(ok.status, 200);
  EXPECT_EQ(ok.json()["status"], "ok");
  EXPECT_EQ(ok.json()["message"], "ready");
  out.clear();
  append_health_reply(false, "going \"down\"", {"x", true}, out);
  const Parsed bad = parse(out);
  EXPECT_EQ(bad.status, 503);
  EXPECT_EQ(bad.json()["reason"], "Service Unavailable");
  EXPECT_EQ(bad.json()["message"], "going \"down\"");
  EXPECT_EQ(bad.field("Connection"), "close");
  EXPECT_EQ(bad.field("Content-Length"), std::to_string(bad.body.size()));
}

TEST(LocalReply, APreflightSaysWhatAPageMaySend) {
  std::string out;
  LocalReply how{"id-1"};
  how.page = {"https://lab.test", true};
  append_preflight_reply("GET, HEAD, DELETE", how, out);
  const Parsed reply = parse(out);
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.field("Access-Control-Allow-Origin"), "https://lab.test");
  EXPECT_EQ(reply.field("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(reply.field("Access-Control-Allow-Methods"), "GET, HEAD, DELETE");
  EXPECT_EQ(reply.field("Access-Control-Allow-Headers"),
            "Authorization, Content-Type, X-XSRFToken");
  EXPECT_EQ(reply.field("Vary"), "Origin");
  EXPECT_EQ(reply.field("Content-Length"), "");  // RFC 9110 section 8.6
  EXPECT_EQ(reply.body, "");
}

TEST(LocalReply, AListedPageMayReadWhyItFailed) {
  LocalReply how{"id-1"};
  EXPECT_EQ(error_reply({ErrorCode::kUnauthorized, "", 0}, how).fields.count("Vary"), 0u);
  how.page.vary = true;
  EXPECT_EQ(error_reply({ErrorCode::kUnauthorized, "", 0}, how).field("Vary"), "Origin");
  how.page.origin = "https://lab.test";
  EXPECT_EQ(
      error_reply({ErrorCode::kUnauthorized, "", 0}, how).field("Access-Control-Allow-Origin"),
      "https://lab.test");
}

TEST(LocalReply, TellsTheDetailOfAKernelStart) {
  LocalReply reply{"id-1"};
  reply.detail = "KERNEL_IMAGE is not for clients to set";
  const std::string message =
      error_reply({ErrorCode::kLaunchDenied, "", 0}, reply).json()["message"];
  EXPECT_THAT(message, HasSubstr("does not allow (KERNEL_IMAGE is not for clients to set). "));
}

// As a gateway says it, and after its reduction (kernel::reduce_error) byte for byte.
TEST(LocalReply, SaysOfAKernelWhatAGatewaySays) {
  std::string out;
  append_gateway_reply(404, "Kernel does not exist: 6bb19c3b-26f6-4b4d-bfc9-be831a9e648f", {"id-1"},
                       out);
  const Parsed reply = parse(out);
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.field("Content-Length"), std::to_string(reply.body.size()));
  EXPECT_EQ(reply.body,
            "{\"reason\":\"Not Found\",\"message\":\"Kernel does not exist: "
            "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f\"}\n");
}

TEST(LocalReply, AKernelStartIsAnsweredLikeTheFirstOne) {
  LocalReply reply;
  reply.request_id = "r1";
  std::string out;
  append_launch_reply(201, "/abc/api/kernels/1", "{\"id\":\"1\"}", reply, out);
  const Parsed made = parse(out);
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.reason, "Created");
  EXPECT_EQ(made.field("Location"), "/abc/api/kernels/1");
  EXPECT_EQ(made.json()["id"], "1");
  out.clear();
  append_launch_reply(500, "", "{}", reply, out);
  EXPECT_THAT(out, Not(HasSubstr("Location")));
}

}  // namespace kg::exchange::local_reply_test
