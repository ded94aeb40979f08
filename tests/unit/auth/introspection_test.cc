#include "auth/introspection.h"

#include <gtest/gtest.h>

namespace kg::auth::introspection_test {

constexpr int64_t kNow = 1'700'000'000;

Verdict read(const std::string& body, const IntrospectionRules& rules = {}) {
  return read_introspection(body, rules, kNow);
}

ErrorCode refusal(const std::string& body, const IntrospectionRules& rules = {}) {
  const Verdict verdict = read(body, rules);
  EXPECT_EQ(verdict.kind, Verdict::Kind::kRefused) << body;
  return verdict.error.code;
}

TEST(Introspection, AnActiveTokenIsAPrincipal) {
  IntrospectionRules rules;
  rules.realm = "corp";
  const Verdict verdict =
      read(R"({"active":true,"sub":"alice","exp":1700000600,"iat":1700000000,"jti":"j",)"
           R"("groups":["a","b"],"endpoint":"ep","client_id":"x","token_type":"Bearer"})",
           rules);
  ASSERT_EQ(verdict.kind, Verdict::Kind::kPrincipal) << verdict.error.detail;
  EXPECT_EQ(verdict.principal.realm, "corp");
  EXPECT_EQ(verdict.principal.subject, "alice");
  EXPECT_EQ(verdict.principal.groups, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(verdict.principal.endpoint, "ep");
  EXPECT_EQ(verdict.principal.token_id, "j");
  EXPECT_EQ(verdict.principal.issued_at, 1'700'000'000);
  EXPECT_EQ(verdict.principal.expires_at, 1'700'000'600);
}

TEST(Introspection, UsernameIsTheSubjectWhereThereIsNoSub) {
  EXPECT_EQ(read(R"({"active":true,"username":"bob"})").principal.subject, "bob");
  EXPECT_EQ(read(R"({"active":true,"username":"bob","sub":"b"})").principal.subject, "b");
}

TEST(Introspection, ATokenWithoutAnEndIsAskedForAgainInTime) {
  const Principal who = read(R"({"active":true,"sub":"a"})").principal;
  EXPECT_EQ(who.expires_at, kNow + limits::kSessionSecondsMax);
}

TEST(Introspection, AnInactiveTokenIsRefused) {
  EXPECT_EQ(refusal(R"({"active":false})"), ErrorCode::kUnauthorized);
  EXPECT_EQ(refusal(R"({"active":false,"sub":"alice"})"), ErrorCode::kUnauthorized);
}

TEST(Introspection, WhatIsNoAnswerSaysNothingAboutTheToken) {
  for (const std::string body :
       {"", "{", "[]", "null", "<html>", R"({})", R"({"active":"true","sub":"a"})",
        R"({"active":1,"sub":"a"})", R"({"active":null})", R"({"active":[true],"sub":"a"})",
        R"({"active":false,"active":true,"sub":"a"})", R"({"active":true,"sub":"a"} x)",
        R"({"active":true,"sub":"a","exp":"soon"})"}) {
    EXPECT_EQ(refusal(body), ErrorCode::kSessionUnknown) << body;
  }
}

TEST(Introspection, AnActiveTokenOfNobodyIsRefused) {
  for (const std::string body :
       {R"({"active":true})", R"({"active":true,"sub":""})", R"({"active":true,"sub":5})",
        R"({"active":true,"sub":"a\nb"})", R"({"active":true,"sub":"a","groups":[1]})"}) {
    EXPECT_EQ(refusal(body), ErrorCode::kUnauthorized) << body;
  }
}

TEST(Introspection, TimesCount) {
  EXPECT_EQ(refusal(R"({"active":true,"sub":"a","exp":1700000000})"), ErrorCode::kSessionExpired);
  EXPECT_EQ(refusal(R"({"active":true,"sub":"a","nbf":1700000031})"), ErrorCode::kUnauthorized);
  EXPECT_EQ(read(R"({"active":true,"sub":"a","nbf":1700000030})").kind, Verdict::Kind::kPrincipal);
}

TEST(Introspection, IssuerAudienceAndScopeAreComparedWhereTheyAreNamed) {
  IntrospectionRules rules;
  rules.issuer = "https://issuer.test";
  rules.audience = "kernelgate";
  rules.scope = "kernels";
  const auto answer = [](const std::string& iss, const std::string& aud, const std::string& scope) {
    return R"({"active":true,"sub":"a","iss":)" + iss + R"(,"aud":)" + aud + R"(,"scope":)" +
           scope + "}";
  };
  const std::string iss = R"("https://issuer.test")";
  const std::string aud = R"(["x","kernelgate"])";
  const std::string scope = R"("openid kernels")";
  EXPECT_EQ(read(answer(iss, aud, scope), rules).kind, Verdict::Kind::kPrincipal);
  EXPECT_EQ(read(answer(iss, R"("kernelgate")", R"("kernels")"), rules).kind,
            Verdict::Kind::kPrincipal);
  EXPECT_EQ(refusal(answer(R"("https://other.test")", aud, scope), rules),
            ErrorCode::kUnauthorized);
  EXPECT_EQ(refusal(answer("1", aud, scope), rules), ErrorCode::kUnauthorized);
  EXPECT_EQ(refusal(answer(iss, R"("other")", scope), rules), ErrorCode::kUnauthorized);
  EXPECT_EQ(refusal(answer(iss, "[]", scope), rules), ErrorCode::kUnauthorized);
  for (const std::string other : {R"("")", R"("kernelsx")", R"("xkernels")", R"(["kernels"])"}) {
    EXPECT_EQ(refusal(answer(iss, aud, other), rules), ErrorCode::kForbidden) << other;
  }
  EXPECT_EQ(refusal(R"({"active":true,"sub":"a"})", rules), ErrorCode::kUnauthorized);
}

TEST(Introspection, TheQuestionIsAFormWithClientCredentials) {
  IntrospectionOptions options;
  options.url = {true, "as.test", 443, "/introspect"};
  options.client_id = "kernel gate";
  options.client_secret = Secret("s:cret/%");
  const Introspection introspection(std::move(options));
  const fetch::Request request = introspection.request(Secret("a+b&c=d\r\n"));
  EXPECT_EQ(request.method, fetch::Method::kPost);
  EXPECT_EQ(request.body.reveal(), "token=a%2Bb%26c%3Dd%0D%0A&token_type_hint=access_token");
  ASSERT_FALSE(request.fields.empty());
  EXPECT_EQ(request.fields[0].name, "Authorization");
  // base64("kernel%20gate:s%3Acret%2F%25")
  EXPECT_EQ(request.fields[0].value.reveal(), "Basic a2VybmVsJTIwZ2F0ZTpzJTNBY3JldCUyRiUyNQ==");
  EXPECT_FALSE(request.to_own_gateway);
}

TEST(Introspection, OnlyA200IsAnAnswer) {
  const Introspection introspection({});
  for (const int status : {201, 204, 302, 400, 401, 403, 404, 500, 503}) {
    fetch::Answer answer;
    answer.status = status;
    answer.body = R"({"active":true,"sub":"a"})";
    const Verdict verdict = introspection.read(answer, Secret("t"), kNow);
    EXPECT_EQ(verdict.kind, Verdict::Kind::kRefused);
    EXPECT_EQ(verdict.error.code, ErrorCode::kSessionUnknown) << status;
  }
}

}  // namespace kg::auth::introspection_test
