#include "auth/delegated.h"

#include <gtest/gtest.h>

namespace kg::auth::delegated_test {

constexpr int64_t kNow = 1'700'000'000;

DelegatedOptions service() {
  DelegatedOptions options;
  options.realm = "corp";
  options.endpoint_id = "ep";
  options.url = {true, "auth.test", 443, "/check"};
  options.digest_key = Secret(std::string(32, 'k'));
  return options;
}

fetch::Answer answered(int status, std::vector<std::vector<std::string>> wanted = {}) {
  fetch::Answer answer;
  answer.status = status;
  answer.wanted = std::move(wanted);
  return answer;
}

TEST(Delegated, TheProbeCarriesTheClientsToken) {
  const Delegated delegated(service());
  const fetch::Request request = delegated.request(Secret("abc"));
  EXPECT_EQ(request.method, fetch::Method::kGet);
  EXPECT_TRUE(request.status_only);
  EXPECT_FALSE(request.to_own_gateway);
  ASSERT_EQ(request.fields.size(), 2U);
  EXPECT_EQ(request.fields[0].name, "Authorization");
  EXPECT_EQ(request.fields[0].value.reveal(), "token abc");
  EXPECT_EQ(request.fields[1].name, "X-Kernelgate-Endpoint");
  EXPECT_EQ(request.fields[1].value.reveal(), "ep");
}

TEST(Delegated, TheOwnGatewayGetsNothingButTheToken) {
  DelegatedOptions options = service();
  options.to_own_gateway = true;
  options.url.secure = false;
  options.connect_to = "127.0.0.1:8888";
  const Delegated delegated(std::move(options));
  const fetch::Request request = delegated.request(Secret("abc"));
  EXPECT_TRUE(request.to_own_gateway);
  EXPECT_EQ(request.connect_to, "127.0.0.1:8888");
  EXPECT_EQ(request.fields.size(), 1U);
  EXPECT_TRUE(request.wanted.empty());
}

TEST(Delegated, TheStatusDecides) {
  const Delegated delegated(service());
  const auto code = [&](int status) {
    const Verdict verdict = delegated.read(answered(status), Secret("t"), kNow);
    return verdict.kind == Verdict::Kind::kPrincipal ? ErrorCode::kNone : verdict.error.code;
  };
  EXPECT_EQ(code(200), ErrorCode::kNone);
  EXPECT_EQ(code(401), ErrorCode::kUnauthorized);
  EXPECT_EQ(code(403), ErrorCode::kForbidden);
  for (const int status : {201, 204, 302, 400, 404, 429, 500, 503}) {
    EXPECT_EQ(code(status), ErrorCode::kSessionUnknown) << status;
  }
}

TEST(Delegated, WithoutAnIdentityTheSubjectIsADigestOfTheToken) {
  const Delegated delegated(service());
  const auto subject = [](const Delegated& asked, const char* token) {
    return asked.read(answered(200), Secret(token), kNow).principal.subject;
  };
  const std::string first = subject(delegated, "secret-token");
  EXPECT_EQ(first.size(), 38U);
  EXPECT_TRUE(first.starts_with("token-"));
  EXPECT_EQ(subject(delegated, "secret-token"), first);
  EXPECT_NE(subject(delegated, "secret-tokeN"), first);
  DelegatedOptions other = service();
  other.digest_key = Secret(std::string(32, 'o'));
  EXPECT_NE(subject(Delegated(std::move(other)), "secret-token"), first);
}

TEST(Delegated, AServiceMayNameSubjectAndGroups) {
  DelegatedOptions options = service();
  options.subject_header = "X-User";
  options.groups_header = "X-Groups";
  const Delegated delegated(std::move(options));
  EXPECT_EQ(delegated.request(Secret("t")).wanted,
            (std::vector<std::string>{"X-User", "X-Groups"}));
  const Verdict verdict =
      delegated.read(answered(200, {{"alice"}, {"a, b", "c"}}), Secret("t"), kNow);
  ASSERT_EQ(verdict.kind, Verdict::Kind::kPrincipal) << verdict.error.detail;
  EXPECT_EQ(verdict.principal.subject, "alice");
  EXPECT_EQ(verdict.principal.realm, "corp");
  EXPECT_EQ(verdict.principal.endpoint, "ep");
  EXPECT_EQ(verdict.principal.groups, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Delegated, AnUnclearIdentityIsNone) {
  DelegatedOptions options = service();
  options.subject_header = "X-User";
  options.groups_header = "X-Groups";
  const Delegated delegated(std::move(options));
  for (const auto& subjects : std::vector<std::vector<std::string>>{
           {}, {""}, {"alice", "bob"}, {"a\tb"}, {"\xc3\xa9"}, {std::string(257, 'a')}}) {
    const Verdict verdict = delegated.read(answered(200, {subjects, {}}), Secret("t"), kNow);
    EXPECT_EQ(verdict.kind, Verdict::Kind::kRefused);
    EXPECT_EQ(verdict.error.code, ErrorCode::kSessionUnknown);
  }
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "g" + std::to_string(i) + ",";
  for (const std::string& groups : {many, std::string("a\x01")}) {
    const Verdict verdict = delegated.read(answered(200, {{"alice"}, {groups}}), Secret("t"), kNow);
    EXPECT_EQ(verdict.error.code, ErrorCode::kSessionUnknown);
    EXPECT_EQ(verdict.kind, Verdict::Kind::kRefused);
  }
}

}  // namespace kg::auth::delegated_test
