// What a session token must claim. Its form is in token_form_test.cc.
#include "auth/jwt_authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/auth/session_fixture.h"

namespace kg::auth::jwt_authenticator_test {

using forge::Claims;
using forge::kHeader;
using forge::kNow;
using forge::kRole;
using forge::policy;
using testing::ElementsAre;

using JwtAuthenticatorTest = forge::SessionFixture;

TEST_F(JwtAuthenticatorTest, AGoodTokenNamesItsPrincipal) {
  Claims claims;
  claims.more = R"(,"groups":["analytics","münchen"],"role":")" + std::string(kRole) +
                R"(","log_context":"team-a","jti":"id-1","unknown":{"a":[1,2]})";
  const Result<Principal> principal = verify(claims);
  ASSERT_TRUE(principal) << principal.error().detail;
  EXPECT_EQ(principal->realm, "studio");
  EXPECT_EQ(principal->subject, "alice");
  EXPECT_THAT(principal->groups, ElementsAre("analytics", "münchen"));
  EXPECT_EQ(principal->endpoint, "abc123");
  EXPECT_EQ(principal->role, kRole);
  EXPECT_EQ(principal->log_context, "team-a");
  EXPECT_EQ(principal->token_id, "id-1");
  EXPECT_EQ(principal->expires_at, 1'800'000'800);
  EXPECT_TRUE(verifier_.allow(*principal, kNow));
}

TEST_F(JwtAuthenticatorTest, IssuerAndAudienceMustMatch) {
  Claims claims;
  for (const char* iss : {"", R"("iss":"https://studio.example.com/",)", R"("iss":"",)",
                          R"("iss":["https://studio.example.com"],)", R"("iss":null,)"}) {
    claims.iss = iss;
    EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << iss;
  }
  claims = Claims();
  for (const char* aud :
       {"", R"("aud":"kernelgat",)", R"("aud":"Kernelgate",)", R"("aud":[],)",
        R"("aud":["a","b"],)", R"("aud":["kernelgate",7],)", R"("aud":{"kernelgate":1},)"}) {
    claims.aud = aud;
    EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << aud;
  }
  claims.aud = R"("aud":["other","kernelgate"],)";
  EXPECT_EQ(code(claims), ErrorCode::kNone);
}

TEST_F(JwtAuthenticatorTest, APolicyWithoutNamesDeniesAll) {
  DoorRules empty = policy();
  empty.issuer = "";
  Claims claims;
  claims.iss = R"("iss":"",)";
  EXPECT_FALSE(Door(empty, key().set()).verify(key().token(kHeader, claims.text()), kNow));
  empty = policy();
  empty.audience = "";
  claims = Claims();
  claims.aud = R"("aud":"",)";
  EXPECT_FALSE(Door(empty, key().set()).verify(key().token(kHeader, claims.text()), kNow));
  empty = policy();
  empty.endpoint_id = "";
  claims = Claims();
  claims.endpoint = "";
  EXPECT_FALSE(Door(empty, key().set()).verify(key().token(kHeader, claims.text()), kNow));
}

TEST_F(JwtAuthenticatorTest, ExpiryHasNoLeeway) {
  EXPECT_EQ(code(Claims(), 1'800'000'799), ErrorCode::kNone);
  EXPECT_EQ(code(Claims(), 1'800'000'800), ErrorCode::kSessionExpired);
  EXPECT_EQ(code(Claims(), 1'900'000'000), ErrorCode::kSessionExpired);
  Claims other;
  other.endpoint = R"("endpoint":"other",)";
  EXPECT_EQ(code(other, 1'900'000'000), ErrorCode::kSessionExpired);
  other = Claims();
  other.iss = R"("iss":"other",)";
  EXPECT_EQ(code(other, 1'900'000'000), ErrorCode::kUnauthorized) << "a stranger learns nothing";
}

TEST_F(JwtAuthenticatorTest, NotYetValidHasTheClocksLeeway) {
  Claims claims;
  claims.more = R"(,"nbf":1800000030)";
  EXPECT_EQ(code(claims), ErrorCode::kNone);
  claims.more = R"(,"nbf":1800000031)";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized);
  claims = Claims();
  claims.iat = R"("iat":1800000030,)";
  EXPECT_EQ(code(claims), ErrorCode::kNone);
  claims.iat = R"("iat":1800000031,)";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized);
}

TEST_F(JwtAuthenticatorTest, AbsurdTimesAreRefused) {
  Claims claims;
  for (const char* time :
       {"-1", "1e30", "-1e30", R"("1800000800")", "1800000800.5", "null", "true", "[1800000800]",
        "18446744073709551616", "9223372036854775807", "253402300800", "1e400", "NaN", "{}"}) {
    claims = Claims();
    claims.exp = std::string(R"("exp":)") + time;
    EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << "exp " << time;
    claims = Claims();
    claims.iat = std::string(R"("iat":)") + time + ',';
    EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << "iat " << time;
    claims = Claims();
    claims.more = std::string(R"(,"nbf":)") + time;
    EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << "nbf " << time;
  }
  claims = Claims();
  claims.exp = R"("sub2":1)";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << "no exp";
  claims.exp = R"("exp":1800000800.0)";
  EXPECT_EQ(code(claims), ErrorCode::kNone) << "a whole number all the same";
  claims.exp = R"("exp":1.8000008e9)";
  EXPECT_EQ(code(claims), ErrorCode::kNone);
  claims.exp = R"("exp":0)";
  EXPECT_EQ(code(claims), ErrorCode::kSessionExpired);
}

TEST_F(JwtAuthenticatorTest, LifetimesAboveTwelveHoursAreRefused) {
  Claims claims;
  claims.iat = R"("iat":1800000000,)";
  claims.exp = R"("exp":1800043200)";
  EXPECT_EQ(code(claims), ErrorCode::kNone);
  claims.exp = R"("exp":1800043201)";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized);
  claims.iat = "";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << "from now, without iat";
  claims.exp = R"("exp":1800043200)";
  EXPECT_EQ(code(claims), ErrorCode::kNone);
  claims.iat = R"("iat":0,)";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized);
}

TEST_F(JwtAuthenticatorTest, SubjectIsRequiredAndPlain) {
  Claims claims;
  claims.sub = R"("sub":")" + std::string(256, 'a') + R"(",)";
  EXPECT_EQ(code(claims), ErrorCode::kNone);
  for (const std::string& sub :
       {std::string(), std::string(R"("sub":"",)"), std::string(R"("sub":7,)"),
        std::string(R"("sub":"a\nb",)"), std::string(R"("sub":"a\u0000b",)"),
        std::string(R"("sub":"a\u0085b",)"), std::string(R"("sub":"\u007f",)"),
        R"("sub":")" + std::string(257, 'a') + R"(",)"}) {
    claims.sub = sub;
    EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << sub;
  }
}

TEST_F(JwtAuthenticatorTest, OptionalClaimsAreBounded) {
  std::string many;
  for (int i = 0; i < 200; ++i) many += (i > 0 ? ",\"g" : "\"g") + std::to_string(i) + '"';
  Claims claims;
  claims.more = R"(,"groups":[)" + many + ']';
  EXPECT_EQ(code(claims), ErrorCode::kNone);
  for (const std::string& more :
       {R"(,"groups":[)" + many + R"(,"one more"])", std::string(R"(,"groups":{})"),
        std::string(R"(,"groups":"")"), std::string(R"(,"groups":[7])"),
        std::string(R"(,"groups":[""])"), std::string(R"(,"groups":["a\tb"])"),
        R"(,"groups":[")" + std::string(257, 'g') + R"("])", std::string(R"(,"log_context":7)"),
        std::string(R"(,"log_context":"a\nb")"), std::string(R"(,"sid":7)"),
        R"(,"jti":")" + std::string(257, 'j') + '"', std::string(R"(,"jti":{})"),
        std::string(R"(,"role":["a"])")}) {
    claims.more = more;
    EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << more;
  }
}

TEST_F(JwtAuthenticatorTest, ValidSessionsOfOtherEndpointsAreForbidden) {
  Claims claims;
  for (const char* endpoint :
       {"", R"("endpoint":"",)", R"("endpoint":"other",)", R"("endpoint":"ABC123",)",
        R"("endpoint":"abc123 ",)", R"("endpoint":"*",)"}) {
    claims.endpoint = endpoint;
    EXPECT_EQ(code(claims), ErrorCode::kForbidden) << endpoint;
  }
  claims.endpoint = R"("endpoint":["abc123"],)";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << "not a text";
}

TEST_F(JwtAuthenticatorTest, RolesMustAgreeWhenBothAreGiven) {
  Claims claims;
  claims.more = R"(,"role":"arn:aws:iam::123456789012:role/other")";
  EXPECT_EQ(code(claims), ErrorCode::kForbidden);
  DoorRules any_role = policy();
  any_role.execution_role_arn = "";
  EXPECT_TRUE(Door(any_role, key().set()).verify(key().token(kHeader, claims.text()), kNow));
}

TEST_F(JwtAuthenticatorTest, AllowJudgesACachedPrincipalAgain) {
  const Result<Principal> principal = verify(Claims());
  ASSERT_TRUE(principal);
  EXPECT_TRUE(verifier_.allow(*principal, 1'800'000'799));
  EXPECT_EQ(verifier_.allow(*principal, 1'800'000'800).error().code, ErrorCode::kSessionExpired);
  DoorRules other = policy();
  other.endpoint_id = "other";
  const auto refused = Door(other, key().set()).allow(*principal, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kForbidden);
}

TEST_F(JwtAuthenticatorTest, AnotherIssuersTokenIsLeftToTheNextLink) {
  const JwtAuthenticator link({"r", "https://other.example.com", "kernelgate", {}, {}},
                              fixed(key().set()));
  const std::string token = key().token(kHeader, Claims().text());
  Evidence evidence;
  evidence.token = token;
  EXPECT_EQ(link.judge(evidence, kNow).kind, Verdict::Kind::kNotMine);
  evidence.token = "an-opaque-token";
  EXPECT_EQ(link.judge(evidence, kNow).kind, Verdict::Kind::kNotMine);
}

TEST_F(JwtAuthenticatorTest, ABadTokenOfItsIssuerEndsTheChain) {
  const JwtAuthenticator link({"r", "https://studio.example.com", "kernelgate", {}, {}},
                              fixed(key().set()));
  const std::string token = forge::TestKey::ec().token(kHeader, Claims().text());
  Evidence evidence;
  evidence.token = token;
  EXPECT_EQ(link.judge(evidence, kNow).kind, Verdict::Kind::kRefused);
}

}  // namespace kg::auth::jwt_authenticator_test
