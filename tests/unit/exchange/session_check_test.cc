#include "proxy/exchange/session_check.h"

#include <gmock/gmock.h>

#include <string>

#include "auth/session_cache.h"
#include "tests/unit/auth/session_fixture.h"
#include "tests/unit/http/support.h"

namespace kg::exchange {
namespace {

using auth::forge::kNow;

class SessionCheck : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto key = auth::forge::TestKey::ec();
    token_ = key.token(auth::forge::kHeader, auth::forge::Claims().text());
    verifier_ = std::make_shared<const auth::SessionVerifier>(auth::forge::policy(), key.set());
  }
  static void TearDownTestSuite() { verifier_.reset(); }
  SessionCheck() { endpoint_.sessions = verifier_; }

  Result<std::shared_ptr<const auth::Principal>> check(const std::string& fields,
                                                       const std::string& query = "") {
    http::RequestHead head;
    http::read_request(
        head, "GET /api/kernels" + query + " HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n");
    return check_session(head, endpoint_, cache_, kNow);
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
  static inline std::shared_ptr<const auth::SessionVerifier> verifier_;
  routing::Endpoint endpoint_;
  auth::SessionCache cache_;
};

TEST_F(SessionCheck, TakesBothSchemesInAnyCase) {
  for (const char* scheme : {"token", "Token", "TOKEN", "bearer", "Bearer", "BEARER"}) {
    EXPECT_EQ(who(authorization(std::string(scheme) + " " + token_)), "alice") << scheme;
  }
  EXPECT_EQ(who(authorization("token   " + token_)), "alice");
  EXPECT_EQ(who("AUTHORIZATION: token " + token_ + "\r\n"), "alice");
}

TEST_F(SessionCheck, RefusesOtherSchemes) {
  for (const std::string& value :
       {"Basic " + token_, token_, "token" + token_, "token=" + token_, "tokens " + token_,
        std::string("token"), std::string("Bearer "), "Bearer,token " + token_}) {
    EXPECT_EQ(who(authorization(value)), "unauthorized") << value.substr(0, 12);
  }
}

TEST_F(SessionCheck, AnEmptyFieldIsNoCredentialAndStillAField) {
  EXPECT_EQ(who("Authorization:\r\n"), "unauthorized");
  EXPECT_EQ(who("Authorization:\r\n", "?token=" + token_), "unauthorized");
}

TEST_F(SessionCheck, TwoFieldsAreAmbiguous) {
  const std::string good = authorization("token " + token_);
  EXPECT_EQ(who(good + good), "bad_request");
  EXPECT_EQ(who(good + "authorization: Basic x\r\n"), "bad_request");
  EXPECT_EQ(who("Authorization:\r\n" + good), "bad_request");
}

TEST_F(SessionCheck, TheQueryIsTheSecondChoice) {
  EXPECT_EQ(who("", "?token=" + token_), "alice");
  EXPECT_EQ(who("", "?session_id=1&token=" + token_), "alice");
  EXPECT_EQ(who(authorization("token " + token_), "?token=wrong"), "alice");
  EXPECT_EQ(who(authorization("token wrong"), "?token=" + token_), "unauthorized")
      << "a field is judged even if the query would do";
  EXPECT_EQ(who(authorization("Basic x"), "?token=" + token_), "unauthorized");
}

TEST_F(SessionCheck, WithoutACredentialNobodyComesIn) {
  EXPECT_EQ(who(""), "unauthorized");
  EXPECT_EQ(who("", "?"), "unauthorized");
  EXPECT_EQ(who("", "?token="), "unauthorized");
  EXPECT_EQ(who("Cookie: token=" + token_ + "\r\n"), "unauthorized");
}

TEST_F(SessionCheck, VerifiedTokensAreRemembered) {
  EXPECT_EQ(who(authorization("token " + token_)), "alice");
  EXPECT_EQ(cache_.hits(), 0U);
  EXPECT_EQ(who("", "?token=" + token_), "alice");
  EXPECT_EQ(cache_.hits(), 1U);
}

TEST_F(SessionCheck, TheEndpointsVerifierDecides) {
  auth::SessionPolicy policy = auth::forge::policy();
  policy.endpoint_id = "another";
  const auto key = auth::forge::TestKey::ec();
  endpoint_.sessions = std::make_shared<const auth::SessionVerifier>(policy, key.set());
  EXPECT_EQ(who(authorization("token " + token_)), "unauthorized") << "a key it does not know";
  endpoint_.sessions = std::make_shared<const auth::SessionVerifier>(
      policy, key.set());  // same policy, and a token that the key signed
  const std::string other = key.token(auth::forge::kHeader, auth::forge::Claims().text());
  EXPECT_EQ(who(authorization("token " + other)), "forbidden") << "for abc123";
}

}  // namespace
}  // namespace kg::exchange
