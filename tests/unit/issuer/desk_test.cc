#include "routing/controller/issuer/desk.h"

#include "tests/unit/auth/door.h"
#include "tests/unit/issuer/issuer_fixture.h"

namespace kg::issuer::desk_test {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class DeskTest : public IssuerTest {
 protected:
  DeskTest() { make_payload(); }

  Desk& desk() {
    if (desk_ == nullptr) desk_ = std::make_unique<Desk>(loop, client, options, around());
    return *desk_;
  }
  Answer ask(const std::string& body, const std::string& id = "abc123",
             const std::string& token = "caller-token") {
    std::vector<Answer> answers;
    Asked wanted{{"analytics", id}, Secret(token), body, "10.0.0.9:1234", "10.0.0.9"};
    const std::unique_ptr<Desk::Application> application =
        desk().open(std::move(wanted), [&](const Answer& got) { answers.push_back(got); });
    application->start();
    run_until([&] { return !answers.empty(); });
    return answers.empty() ? Answer() : answers.front();
  }
  // Of somebody who may issue there.
  Answer ask_allowed(const std::string& body) {
    answer_token("alice");
    answer_access(true);
    return ask(body);
  }
  static Json said(const Answer& answer) { return Json::parse(answer.body.reveal()); }
  static std::string token_of(const Answer& answer) { return said(answer)["credentials"]["token"]; }

  Result<auth::Principal> verify(const std::string& token) const {
    auth::DoorRules rules;
    rules.issuer = kIssuerName;
    rules.audience = "kernelgate";
    rules.endpoint_id = "abc123";
    rules.virtual_cluster = "analytics";
    const auth::Door door(rules, auth::KeySet::from_text(signer->public_jwks()).keys);
    return door.verify(token, static_cast<int64_t>(event::wall_us() / 1'000'000));
  }

  Options options = [] {
    Options made;
    made.issuer = kIssuerName;
    return made;
  }();

 private:
  std::unique_ptr<Desk> desk_;
};

TEST_F(DeskTest, WhoMayIssueGetsASessionThatProxiesTake) {
  const Answer answer =
      ask_allowed(R"({"credentialType":"TOKEN","durationInSeconds":600,"logContext":"team-a"})");
  ASSERT_EQ(answer.status, 200) << answer.body.reveal();
  const auto principal = verify(token_of(answer));
  ASSERT_TRUE(principal) << principal.error().detail;
  EXPECT_EQ(principal->subject, "alice");
  EXPECT_EQ(principal->endpoint, "abc123");
  EXPECT_EQ(principal->log_context, "team-a");
  EXPECT_EQ(principal->token_id, said(answer)["id"]);
  EXPECT_EQ(principal->expires_at, principal->issued_at + 600);
  EXPECT_THAT(std::string(said(answer)["expiresAt"]),
              testing::MatchesRegex("20..-..-..T..:..:..Z"));
  ASSERT_THAT(api.requests, SizeIs(2));
  EXPECT_THAT(api.requests[0], AllOf(HasSubstr("POST /apis/authentication.k8s.io/v1/tokenreviews"),
                                     HasSubstr("Authorization: Bearer a-token")));
  EXPECT_EQ(asked(0)["spec"]["token"], "caller-token");
  EXPECT_EQ(asked(1)["spec"]["resourceAttributes"]["name"], "abc123");
  ASSERT_THAT(lines, SizeIs(1));
  const Json line = Json::parse(lines[0]);
  EXPECT_EQ(line["outcome"], "issued");
  EXPECT_EQ(line["caller"], "alice");
  EXPECT_EQ(line["subject"], "alice");
  EXPECT_EQ(line["id"], said(answer)["id"]);
  EXPECT_EQ(line["seconds"], 600);
  EXPECT_EQ(line["client"], "10.0.0.9:1234");
  EXPECT_THAT(lines[0], AllOf(Not(HasSubstr(token_of(answer))), Not(HasSubstr("caller-token"))));
}

TEST_F(DeskTest, WhoShowsNothingIsNotAskedFor) {
  EXPECT_EQ(ask(kPlainWish, "abc123", "").status, 401);
  EXPECT_THAT(api.requests, IsEmpty());
  api.answers.push_back(kube::answer_of("201 Created", R"({"kind":"TokenReview","status":{}})"));
  EXPECT_EQ(ask(kPlainWish).status, 401);
  EXPECT_EQ(Json::parse(lines.back())["outcome"], "unauthenticated");
}

TEST_F(DeskTest, StrangersDoNotFillTheAuditLog) {
  const auto nameless = [&] { return ask(kPlainWish, "abc123", "").status; };
  uint16_t status = nameless();
  size_t refused = 1;
  for (; refused < size_t{10} * kFailuresPerMinute; ++refused) {
    status = nameless();
    if (status != 401) break;
  }
  EXPECT_EQ(status, 429);
  EXPECT_GE(refused, kFailuresPerMinute);
  EXPECT_THAT(lines, SizeIs(refused));
  EXPECT_EQ(desk().counts().calls[static_cast<size_t>(Outcome::kTooMany)], 1U);
}

TEST_F(DeskTest, WhoMayNotHearsTheSameOfEveryEndpoint) {
  std::vector<std::string> bodies;
  for (const char* id : {"abc123", "abc124"}) {
    answer_token("mallory");
    answer_access(false);
    const Answer answer = ask(kPlainWish, id);
    EXPECT_EQ(answer.status, 403);
    std::string body(answer.body.reveal());
    body.replace(body.find(id), 6, "ID");
    bodies.push_back(body);
  }
  EXPECT_EQ(bodies[0], bodies[1]);
  answer_token("alice");
  answer_access(true);
  EXPECT_EQ(ask(kPlainWish, "abc124").status, 404);
}

TEST_F(DeskTest, AnotherSubjectNeedsImpersonate) {
  const std::string wish = R"({"credentialType":"TOKEN","subject":"bob"})";
  answer_token("hub");
  answer_access(true);
  answer_access(false);
  EXPECT_EQ(ask(wish).status, 403);
  EXPECT_EQ(asked(2)["spec"]["resourceAttributes"], Json({{"group", "kernelgate.io"},
                                                          {"version", "v1"},
                                                          {"verb", "impersonate"},
                                                          {"namespace", "analytics"},
                                                          {"resource", "subjects"},
                                                          {"name", "bob"}}));
  answer_token("hub");
  answer_access(true);
  answer_access(true);
  const Answer answer = ask(wish);
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(verify(token_of(answer))->subject, "bob");
  EXPECT_EQ(Json::parse(lines.back())["caller"], "hub");
  // His own name is nobody else's.
  EXPECT_EQ(ask_allowed(R"({"credentialType":"TOKEN","subject":"alice"})").status, 200);
}

TEST_F(DeskTest, GroupsAreTheCallersOwnOrNeedImpersonate) {
  const std::string wish = R"({"credentialType":"TOKEN","groups":["mine","other"]})";
  answer_token("alice", {"mine"});
  answer_access(true);
  answer_access(true);
  const Answer answer = ask(wish);
  ASSERT_EQ(answer.status, 200);
  EXPECT_THAT(verify(token_of(answer))->groups, ElementsAre("mine", "other"));
  ASSERT_THAT(api.requests, SizeIs(3));
  EXPECT_EQ(asked(2)["spec"]["resourceAttributes"]["resource"], "groups");
  EXPECT_EQ(asked(2)["spec"]["resourceAttributes"]["name"], "other");
  // In somebody else's session the caller's groups are nothing.
  answer_token("alice", {"mine"});
  answer_access(true);
  answer_access(true);
  answer_access(false);
  EXPECT_EQ(ask(R"({"credentialType":"TOKEN","subject":"bob","groups":["mine"]})").status, 403);
}

TEST_F(DeskTest, AnApiServerThatDoesNotAnswerIsATimeToTryAgain) {
  api.answers.push_back(kube::answer_of("500 No", "{}"));
  EXPECT_EQ(ask(kPlainWish).retry_after_s, kRetrySeconds);
  api.answers.push_back(kube::answer_of("429 Wait", "{}", "Retry-After: 17\r\n"));
  EXPECT_EQ(ask(kPlainWish).retry_after_s, 17U);
  for (const char* answer : {"{}", "not JSON"}) {
    answer_token("alice");
    api.answers.push_back(kube::answer_of("201 Created", answer));
    EXPECT_EQ(ask(kPlainWish).status, 503);
  }
  api.answers.push_back(kube::answer_of("403 Forbidden", "{}"));  // we may not review
  EXPECT_EQ(ask(kPlainWish).status, 503);
  EXPECT_EQ(desk().counts().review_errors, 5U);
}

TEST_F(DeskTest, NothingIsIssuedBeforeEverythingIsKnownOrWithoutAnAuditLine) {
  is_ready = false;
  EXPECT_EQ(ask(kPlainWish).status, 503);
  EXPECT_THAT(api.requests, IsEmpty());
  is_ready = true;
  takes_lines = false;
  const Answer answer = ask_allowed(kPlainWish);
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(std::string(answer.body.reveal()), Not(HasSubstr("token")));
}

TEST_F(DeskTest, ACallerComesSoOftenAndOthersDoNotNotice) {
  options.calls_per_minute = 2;
  EXPECT_EQ(ask_allowed(kPlainWish).status, 200);
  EXPECT_EQ(ask_allowed(kPlainWish).status, 200);
  answer_token("alice");
  const Answer third = ask(kPlainWish);
  EXPECT_EQ(third.status, 429);
  EXPECT_GT(third.retry_after_s, 20U);
  answer_token("bob");
  answer_access(true);
  EXPECT_EQ(ask(kPlainWish).status, 200);
  EXPECT_EQ(desk().counts().calls[static_cast<size_t>(Outcome::kTooMany)], 1U);
}

TEST_F(DeskTest, AClientTokenMakesTheSameSessionAgain) {
  const std::string wish = R"({"credentialType":"TOKEN","clientToken":"one"})";
  const Json first = said(ask_allowed(wish));
  const Json second = said(ask_allowed(wish));
  EXPECT_EQ(first["id"], second["id"]);
  EXPECT_EQ(first["expiresAt"], second["expiresAt"]);
  EXPECT_TRUE(verify(second["credentials"]["token"]));
  EXPECT_EQ(Json::parse(lines.back())["replayed"], true);
  EXPECT_EQ(ask_allowed(R"({"credentialType":"TOKEN","clientToken":"one","durationInSeconds":60})")
                .status,
            409);
  EXPECT_NE(said(ask_allowed(kPlainWish))["id"], first["id"]);
}

TEST_F(DeskTest, WhatIsMalformedIsSaidToWhoIsKnown) {
  answer_token("alice");
  EXPECT_EQ(ask("{").status, 400);
  EXPECT_THAT(api.requests, SizeIs(1));  // and no right was asked for
  answer_token("a\nb");
  EXPECT_EQ(ask(kPlainWish).status, 400);
}

TEST_F(DeskTest, ACancelledCallSaysNoMore) {
  bool answered = false;
  std::unique_ptr<Desk::Application> application =
      desk().open({{"analytics", "abc123"}, Secret("t"), kPlainWish, "c", "a"},
                  [&](const Answer&) { answered = true; });
  application->start();
  run_until([&] { return !api.requests.empty(); });
  application->cancel();
  application.reset();
  EXPECT_EQ(ask_allowed(kPlainWish).status, 200);
  EXPECT_FALSE(answered);
}

}  // namespace kg::issuer::desk_test
