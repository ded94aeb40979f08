#include "auth/alb_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/auth/forge.h"

namespace kg::auth::alb_token_test {

using forge::TestKey;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kNow = 1'800'000'000;
constexpr const char* kKid = "2e4b1f0c-6c5e-4a1b-9d6e-0123456789ab";
constexpr const char* kSigner =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/jupyter/0123456789abcdef";

AlbRules rules() {
  AlbRules rules;
  rules.realm = "alb";
  rules.signers = {"arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/other/1", kSigner};
  rules.client = "client-1";
  rules.issuer = "https://idp.example.com";
  rules.names.groups = "cognito:groups";
  return rules;
}

// base64url with the padding of domain A19.
std::string padded(std::string_view bytes) {
  std::string text = ascii::base64url_encode(bytes);
  while (text.size() % 4 != 0) text += '=';
  return text;
}

struct Header {
  std::string alg = "ES256";
  std::string kid = kKid;
  std::string signer = kSigner;
  std::string client = "client-1";
  std::string iss = "https://idp.example.com";
  std::string exp = "1800000120";
  std::string more;

  std::string text() const {
    return R"({"alg":")" + alg + R"(","kid":")" + kid + R"(","signer":")" + signer +
           R"(","iss":")" + iss + R"(","client":")" + client + R"(","exp":)" + exp + more + '}';
  }
};

const TestKey& key() {
  static const TestKey key = TestKey::ec();
  return key;
}

std::string token(const Header& header,
                  std::string_view claims = R"({"sub":"alice","email":"a@example.com"})",
                  const TestKey& signer = key()) {
  const std::string text = padded(header.text()) + '.' + padded(claims);
  return text + '.' + padded(signer.sign(text));
}

Result<Principal> judge(std::string_view text, int64_t now = kNow) {
  const AlbRules ours = rules();
  const Result<AlbToken> split = split_alb_token(text, ours, now);
  if (!split) return split.error();
  return verify_alb_token(*split, ours, *key().set());
}

ErrorCode code(std::string_view text, int64_t now = kNow) {
  const Result<Principal> result = judge(text, now);
  return result ? ErrorCode::kNone : result.error().code;
}

TEST(AlbToken, NamesTheUserOfTheLoadBalancer) {
  const std::string text =
      token(Header(), R"({"sub":"alice","cognito:groups":["a"],"username":"alice.a"})");
  EXPECT_THAT(text, HasSubstr("=")) << "padded, as a load balancer sends it";
  const AlbRules ours = rules();
  const Result<AlbToken> split = split_alb_token(text, ours, kNow);
  ASSERT_TRUE(split) << split.error().detail;
  EXPECT_EQ(split->kid, kKid);
  const Result<Principal> principal = verify_alb_token(*split, ours, *key().set());
  ASSERT_TRUE(principal) << principal.error().detail;
  EXPECT_EQ(principal->realm, "alb");
  EXPECT_EQ(principal->subject, "alice");
  EXPECT_THAT(principal->groups, ElementsAre("a"));
  EXPECT_EQ(principal->expires_at, 1'800'000'120) << "the header's";
}

TEST(AlbToken, TheSignatureCoversThePaddingAsReceived) {
  EXPECT_EQ(code(token(Header())), ErrorCode::kNone);
  const std::string claims = R"({"sub":"alice"})";  // 15 bytes: no padding; header made to need it
  Header header;
  while (header.text().size() % 3 == 0) header.more += ' ';
  const std::string text = padded(header.text()) + '.' + padded(claims);
  ASSERT_THAT(text, HasSubstr("="));
  EXPECT_EQ(code(text + '.' + padded(key().sign(text))), ErrorCode::kNone);
  std::string bare = text;
  bare.erase(std::remove(bare.begin(), bare.end(), '='), bare.end());
  EXPECT_EQ(code(bare + '.' + padded(key().sign(text))), ErrorCode::kUnauthorized);
  EXPECT_EQ(code(bare + '.' + ascii::base64url_encode(key().sign(bare))), ErrorCode::kNone)
      << "a load balancer that stops padding";
}

TEST(AlbToken, PaddingIsExact) {
  const std::string good = token(Header());
  ASSERT_TRUE(good.ends_with("=="));  // 64 bytes
  for (const std::string& text :
       {good.substr(0, good.size() - 1), good + '=',
        good + "==", good + "====", good.substr(0, good.size() - 2) + "=a", '=' + good}) {
    EXPECT_EQ(code(text), ErrorCode::kUnauthorized) << text;
  }
}

TEST(AlbToken, AnotherSignerProvesNothing) {
  Header header;
  for (const char* signer :
       {"", "arn:aws:elasticloadbalancing:eu-west-1:444455556666:loadbalancer/app/jupyter/0123",
        "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/jupyter/0123456789ab",
        "*"}) {
    header.signer = signer;
    EXPECT_EQ(code(token(header)), ErrorCode::kUnauthorized) << signer;
  }
  EXPECT_EQ(code(token(Header(), R"({"sub":"alice"})", TestKey::ec())), ErrorCode::kUnauthorized)
      << "another key";
}

TEST(AlbToken, ClientAndIssuerMustBeOurs) {
  Header client;
  client.client = "client-2";
  EXPECT_EQ(code(token(client)), ErrorCode::kUnauthorized);
  Header issuer;
  issuer.iss = "https://evil.example.com";
  EXPECT_EQ(code(token(issuer)), ErrorCode::kUnauthorized);
  // In the claims they count for nothing.
  EXPECT_EQ(code(token(issuer, R"({"sub":"alice","iss":"https://idp.example.com"})")),
            ErrorCode::kUnauthorized);
}

TEST(AlbToken, ExpiryIsTheHeadersWithoutLeeway) {
  EXPECT_EQ(code(token(Header()), 1'800'000'119), ErrorCode::kNone);
  EXPECT_EQ(code(token(Header()), 1'800'000'120), ErrorCode::kSessionExpired);
  Header header;
  for (const char* exp : {"\"1800000120\"", "-1", "1e308", "null", "1800000120.5", "1800043201"}) {
    header.exp = exp;
    EXPECT_EQ(code(token(header)), ErrorCode::kUnauthorized) << exp;
  }
  EXPECT_EQ(code(token(Header(), R"({"sub":"alice","exp":1})")), ErrorCode::kNone)
      << "the identity provider's access token may be over: the load balancer renews it";
}

TEST(AlbToken, AKidHasTheShapeOfAUuid) {
  Header header;
  for (const char* kid :
       {"", "x", "../../etc/passwd", "2e4b1f0c-6c5e-4a1b-9d6e-0123456789a",
        "2e4b1f0c-6c5e-4a1b-9d6e-0123456789abc", "2e4b1f0c06c5e-4a1b-9d6e-0123456789ab",
        "2e4b1f0c-6c5e-4a1b-9d6e-0123456789/b", "2e4b1f0c-6c5e-4a1b-9d6e-0123456789%2",
        "2e4b1f0c-6c5e-4a1b-9d6e-0123456789a\\u0000", "@evil.example/aaaaaaaaaaaaaaaaaaaaaaa"}) {
    header.kid = kid;
    const Result<AlbToken> split = split_alb_token(token(header), rules(), kNow);
    EXPECT_FALSE(split) << kid;
  }
}

TEST(AlbToken, OnlyEs256) {
  Header header;
  for (const char* alg : {"none", "HS256", "RS256", "ES384", "EdDSA", ""}) {
    header.alg = alg;
    EXPECT_EQ(code(token(header)), ErrorCode::kUnauthorized) << alg;
  }
  const std::string text = padded(Header().text()) + '.' + padded(R"({"sub":"alice"})");
  EXPECT_EQ(code(text + '.' + padded(key().sign_plain(text))), ErrorCode::kUnauthorized) << "DER";
  EXPECT_EQ(code(text + '.' + padded(std::string(64, '\0'))), ErrorCode::kUnauthorized);
}

TEST(AlbToken, ClaimsAreJudgedLikeAnyOthers) {
  for (const char* claims :
       {"{}", "[]", "x", R"({"sub":""})", R"({"sub":7})", R"({"sub":"a","sub":"b"})",
        R"({"sub":"a","cognito:groups":[7]})", R"({"sub":"a\u0000"})"}) {
    EXPECT_EQ(code(token(Header(), claims)), ErrorCode::kUnauthorized) << claims;
  }
}

}  // namespace kg::auth::alb_token_test
