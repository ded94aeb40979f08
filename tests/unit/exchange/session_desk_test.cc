#include "proxy/exchange/session_desk.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "proxy/base/limits.h"
#include "proxy/exchange/credentials.h"
#include "tests/unit/auth/session_fixture.h"
#include "tests/unit/http/support.h"

namespace kg::exchange::session_desk_test {

using auth::forge::kNow;

struct Nobody final : SessionWaiter {
  void on_session(Result<auth::PrincipalRef> /*who*/) override { FAIL() << "nothing was asked"; }
};

class SessionDeskTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto key = auth::forge::TestKey::ec();
    token_ = key.token(auth::forge::kHeader, auth::forge::Claims().text());
    door_ = auth::make_sessions(auth::forge::policy(), key.set());
  }
  static void TearDownTestSuite() { door_.reset(); }
  SessionDeskTest() : sessions_(door_) {}

  Result<std::shared_ptr<const auth::Principal>> check(const std::string& fields,
                                                       const std::string& query = "") {
    http::RequestHead head;
    http::read_request(
        head, "GET /api/kernels" + query + " HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n");
    const Result<Credentials> shown = Credentials::of(head);
    if (!shown) return shown.error();
    const auto who =
        desk_.recognise(sessions_, shown->evidence(), {slot_, "192.0.2.1"}, kNow, nobody_);
    EXPECT_TRUE(who.has_value()) << "a signature needs nobody else";
    return *who;
  }
  // "SUBJECT", or the label of the error.
  std::string who(const std::string& fields, const std::string& query = "") {
    const auto principal = check(fields, query);
    return principal ? (*principal)->subject : std::string(principal.error().row().label);
  }
  static std::string authorization(const std::string& value) {
    return "Authorization: " + value + "\r\n";
  }

  static inline std::string token_;
  static inline auth::SessionsRef door_;
  auth::SessionsRef sessions_;
  event::EventLoop loop_;
  metrics::WorkerMetrics metrics_{1};
  SessionDesk desk_{loop_, metrics_};
  auth::SessionCache::Slot slot_;
  Nobody nobody_;
};

TEST_F(SessionDeskTest, TakesBothSchemesInAnyCase) {
  for (const char* scheme : {"token", "Token", "TOKEN", "bearer", "Bearer", "BEARER"}) {
    EXPECT_EQ(who(authorization(std::string(scheme) + " " + token_)), "alice") << scheme;
  }
  EXPECT_EQ(who(authorization("token   " + token_)), "alice");
  EXPECT_EQ(who("AUTHORIZATION: token " + token_ + "\r\n"), "alice");
}

TEST_F(SessionDeskTest, RefusesOtherSchemes) {
  for (const std::string& value :
       {"Basic " + token_, token_, "token" + token_, "token=" + token_, "tokens " + token_,
        std::string("token"), std::string("Bearer "), "Bearer,token " + token_}) {
    EXPECT_EQ(who(authorization(value)), "unauthorized") << value.substr(0, 12);
  }
}

TEST_F(SessionDeskTest, AnEmptyFieldIsNoCredentialAndStillAField) {
  EXPECT_EQ(who("Authorization:\r\n"), "unauthorized");
  EXPECT_EQ(who("Authorization:\r\n", "?token=" + token_), "unauthorized");
}

TEST_F(SessionDeskTest, TwoFieldsAreAmbiguous) {
  const std::string good = authorization("token " + token_);
  EXPECT_EQ(who(good + good), "bad_request");
  EXPECT_EQ(who(good + "authorization: Basic x\r\n"), "bad_request");
  EXPECT_EQ(who("Authorization:\r\n" + good), "bad_request");
}

TEST_F(SessionDeskTest, AFieldAndAQueryMustAgree) {
  EXPECT_EQ(who("", "?token=" + token_), "alice");
  EXPECT_EQ(who("", "?session_id=1&token=" + token_), "alice");
  EXPECT_EQ(who(authorization("token " + token_), "?token=" + token_), "alice");
  EXPECT_EQ(who(authorization("token " + token_), "?token=wrong"), "bad_request");
  EXPECT_EQ(who(authorization("token wrong"), "?token=" + token_), "bad_request");
  EXPECT_EQ(who(authorization("Basic x"), "?token=" + token_), "unauthorized");
}

TEST_F(SessionDeskTest, WithoutACredentialNobodyComesIn) {
  EXPECT_EQ(who(""), "unauthorized");
  EXPECT_EQ(who("", "?"), "unauthorized");
  EXPECT_EQ(who("", "?token="), "unauthorized");
  EXPECT_EQ(who("Cookie: token=" + token_ + "\r\n"), "unauthorized");
}

TEST_F(SessionDeskTest, VerifiedTokensAreRemembered) {
  EXPECT_EQ(who(authorization("token " + token_)), "alice");
  EXPECT_EQ(metrics_.session_cache_hits.get(), 0U);
  EXPECT_EQ(who("", "?token=" + token_), "alice");
  EXPECT_EQ(metrics_.session_cache_hits.get(), 1U);
}

TEST_F(SessionDeskTest, AnEndpointKnowsItsOwnKeysOnly) {
  EXPECT_EQ(who(authorization("token " + token_)), "alice");
  sessions_ = auth::make_sessions(auth::forge::policy(), auth::forge::TestKey::ec().set());
  EXPECT_EQ(who(authorization("token " + token_)), "unauthorized") << "not remembered for it";
}

// A link that has to ask, and whose answer the test gives.
class Asker final : public auth::Authenticator {
 public:
  auth::Proof proof() const noexcept override { return auth::Proof::kToken; }
  auth::Verdict judge(const auth::Evidence& /*evidence*/, int64_t /*now*/) const override {
    return auth::Verdict::ask();
  }
  void ask(const auth::Evidence& /*evidence*/, int64_t /*now*/,
           const Answer& answer) const override {
    answers_->push_back(answer);
  }
  explicit Asker(std::vector<Answer>& answers) : answers_(&answers) {}

 private:
  std::vector<Answer>* answers_;
};

struct Waiter final : SessionWaiter {
  void on_session(Result<auth::PrincipalRef> result) override {
    said.push_back(result ? (*result)->subject : std::string(result.error().row().label));
  }
  std::vector<std::string> said;
};

class AskingDeskTest : public testing::Test {
 protected:
  AskingDeskTest() {
    auth::Sessions::Chain chain;
    chain.push_back(std::make_unique<const Asker>(answers_));
    sessions_ = std::make_shared<const auth::Sessions>(std::move(chain), auth::Policy());
  }
  auto ask(std::string_view token, SessionWaiter& waiter, const std::string& client = "192.0.2.1") {
    auth::Evidence evidence;
    evidence.token = token;
    return desk_.recognise(sessions_, evidence, {slot_, client}, kNow, waiter);
  }
  void answer(size_t which, auth::Verdict verdict) {
    answers_.at(which)(std::move(verdict));
    loop_.post([this] { loop_.stop(); });
    loop_.run();
  }
  static auth::Verdict alice() {
    auth::Principal principal;
    principal.subject = "alice";
    principal.expires_at = kNow + 10;
    return auth::Verdict::accepts(principal);
  }

  std::vector<auth::Authenticator::Answer> answers_;
  auth::SessionsRef sessions_;
  event::EventLoop loop_;
  metrics::WorkerMetrics metrics_{1};
  SessionDesk desk_{loop_, metrics_};
  auth::SessionCache::Slot slot_;
  Waiter first_;
  Waiter second_;
};

TEST_F(AskingDeskTest, OneQuestionServesAllWhoWaitAndIsRemembered) {
  EXPECT_FALSE(ask("t", first_).has_value());
  EXPECT_FALSE(ask("t", second_).has_value());
  ASSERT_EQ(answers_.size(), 1U);
  answer(0, alice());
  EXPECT_THAT(first_.said, testing::ElementsAre("alice"));
  EXPECT_THAT(second_.said, testing::ElementsAre("alice"));
  const auto again = ask("t", first_);
  ASSERT_TRUE(again.has_value() && again->has_value());
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(AskingDeskTest, ARefusalIsToldAndNotRemembered) {
  EXPECT_FALSE(ask("t", first_).has_value());
  answer(0, auth::Verdict::refuses({ErrorCode::kSessionUnknown, "", 0}));
  EXPECT_THAT(first_.said, testing::ElementsAre("session_unknown"));
  EXPECT_FALSE(ask("t", first_).has_value());
  EXPECT_EQ(answers_.size(), 2U);
}

TEST_F(AskingDeskTest, WhoLeftHearsNothing) {
  EXPECT_FALSE(ask("t", first_).has_value());
  EXPECT_FALSE(ask("t", second_).has_value());
  desk_.cancel(first_);
  answer(0, alice());
  EXPECT_TRUE(first_.said.empty());
  EXPECT_THAT(second_.said, testing::ElementsAre("alice"));
}

TEST_F(AskingDeskTest, QuestionsAreBounded) {
  for (size_t i = 0; i < limits::kSessionAsksMax; ++i) {
    ASSERT_FALSE(ask(std::to_string(i), first_, std::to_string(i / 4)).has_value());
  }
  const auto more = ask("more", second_, "somebody else");
  ASSERT_TRUE(more.has_value());
  EXPECT_EQ(more->error().code, ErrorCode::kSessionUnknown);
  EXPECT_FALSE(ask("0", second_).has_value()) << "asked already";
}

TEST_F(AskingDeskTest, OneClientHasAFewOfThemAndRefusalsCountAsItsOwn) {
  constexpr size_t kOpen = auth::kCheckUsBurst / auth::kAskCostUs;
  size_t open = 0;
  while (open <= kOpen && !ask(std::to_string(open), first_).has_value()) ++open;
  EXPECT_EQ(open, kOpen + 1) << "the last one took what was left";
  const auto more = ask("more", second_);
  ASSERT_TRUE(more.has_value());
  EXPECT_EQ(more->error().code, ErrorCode::kTooManyRequests);
  EXPECT_EQ(metrics_.limits_hit[static_cast<size_t>(metrics::Limit::kSessionChecks)].get(), 1U);
  answer(0, auth::Verdict::refuses({ErrorCode::kUnauthorized, "", 0}));
  EXPECT_TRUE(ask("still", second_).has_value()) << "a refusal gives nothing back";
  answer(1, alice());
  EXPECT_FALSE(ask("again", second_).has_value());
}

}  // namespace kg::exchange::session_desk_test
