// What a token must look like before its claims are read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/base/limits.h"
#include "tests/unit/auth/door.h"
#include "tests/unit/auth/session_fixture.h"

namespace kg::auth::token_form_test {

using forge::Claims;
using forge::kHeader;
using forge::kNow;
using forge::policy;
using forge::TestKey;
using testing::HasSubstr;

using TokenForm = forge::SessionFixture;

TEST_F(TokenForm, OnlyTheListedAlgorithmsPass) {
  DoorRules strict = policy();
  strict.algorithms = {Algorithm::kRs256};
  const Door verifier(strict, key().set());
  const auto result = verifier.verify(key().token(kHeader, Claims().text()), kNow);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().detail, HasSubstr("alg is not allowed"));
}

TEST_F(TokenForm, UnsecuredAndSymmetricTokensAreRefused) {
  const std::string claims = ascii::base64url_encode(Claims().text());
  for (const char* alg : {"none", "HS256", "ES384", "PS256", "ES512", ""}) {
    std::string text = ascii::base64url_encode(R"({"alg":")" + std::string(alg) + R"("})");
    text += '.';
    text += claims;
    EXPECT_EQ(token_code(text + '.'), ErrorCode::kUnauthorized) << alg;
    EXPECT_EQ(token_code(text + ".AAAA"), ErrorCode::kUnauthorized) << alg;
    // The classic confusion: HMAC with the public key as its secret.
    const std::string pem = key().public_pem();
    std::string mac(32, '\0');
    size_t size = mac.size();
    ASSERT_NE(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, pem.data(), pem.size(),
                        reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                        reinterpret_cast<unsigned char*>(mac.data()), mac.size(), &size),
              nullptr);
    EXPECT_EQ(token_code(text + '.' + ascii::base64url_encode(mac)), ErrorCode::kUnauthorized);
  }
}

TEST_F(TokenForm, AnotherKeyIsRefused) {
  const std::string token = TestKey::ec().token(kHeader, Claims().text());
  const auto result = verifier_.verify(token, kNow);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUnauthorized);
  EXPECT_THAT(result.error().detail, HasSubstr("signature"));
  // A key of another algorithm cannot be used under this one's name.
  const TestKey rsa = TestKey::rsa();
  const Door both(policy(), KeySet::from_text(key().public_pem() + rsa.public_pem()).keys);
  EXPECT_FALSE(both.verify(rsa.token(kHeader, Claims().text()), kNow)) << "RSA as ES256";
}

TEST_F(TokenForm, HeadersThatNoSessionNeedsAreRefused) {
  EXPECT_EQ(header_code(R"({"alg":"ES256"})"), ErrorCode::kNone);
  EXPECT_EQ(header_code(R"({"alg":"ES256","x5t":"AAAA","kid":""})"), ErrorCode::kNone);
  const char* const refused[] = {
      R"({"alg":"ES256","crit":["exp"]})",
      R"({"alg":"ES256","crit":[]})",
      R"({"alg":"ES256","b64":false,"crit":["b64"]})",
      R"({"alg":"ES256","jwk":{"kty":"EC"}})",
      R"({"alg":"ES256","jku":"https://evil.example/jwks"})",
      R"({"alg":"ES256","x5u":"https://evil.example/x5u"})",
      R"({"alg":"ES256","x5c":["AAAA"]})",
      R"({"alg":"ES256","typ":"JOSE"})",
      R"({"alg":"ES256","typ":7})",
      R"({"alg":"ES256","typ":""})",
      R"({"alg":"ES256","kid":7})",
      R"({"alg":"ES256","alg":"ES256"})",
      R"({"alg":"ES256","kid":"a","kid":"b"})",
      R"({"alg":["ES256"]})",
      R"({"typ":"JWT"})",
      R"(["ES256"])",
      R"({"alg":"ES256"} x)",
      R"({'alg':'ES256'})",
      "{\"alg\":\"ES256\",\"kid\":\"\xff\"}",
  };
  for (const char* header : refused) {
    EXPECT_EQ(header_code(header), ErrorCode::kUnauthorized) << header;
  }
  EXPECT_EQ(header_code(R"({"alg":"ES256","kid":")" + std::string(257, 'k') + R"("})"),
            ErrorCode::kUnauthorized);
}

TEST_F(TokenForm, NestingEndsAtEight) {
  const auto nested = [](size_t depth) {
    Claims claims;
    claims.more = R"(,"x":)" + std::string(depth, '[') + std::string(depth, ']');
    return claims;
  };
  EXPECT_EQ(code(nested(7)), ErrorCode::kNone);
  EXPECT_EQ(code(nested(8)), ErrorCode::kUnauthorized);
  EXPECT_EQ(code(nested(2000)), ErrorCode::kUnauthorized);
}

TEST_F(TokenForm, DuplicateClaimsAreRefused) {
  Claims claims;
  claims.more = R"(,"endpoint":"abc123")";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized);
  claims.more = R"(,"endp\u006fint":"other")";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << "equal after unescaping";
  claims.more = R"(,"x":{"a":1,"a":2})";
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized) << "nested";
  claims.more = R"(,"x":{"iss":1},"y":[{"iss":1},{"iss":2}])";
  EXPECT_EQ(code(claims), ErrorCode::kNone) << "equal names in different objects";
}

TEST_F(TokenForm, EncodingIsStrict) {
  const std::string good = key().token(kHeader, Claims().text());
  const size_t first = good.find('.');
  const size_t second = good.find('.', first + 1);
  EXPECT_EQ(token_code(good), ErrorCode::kNone);
  const std::string broken[] = {
      "",
      ".",
      "..",
      "...",
      good.substr(0, second),
      good.substr(0, second + 1),
      good + '.',
      good + ".AAAA",
      '.' + good,
      good + '=',
      good + "==",
      good + '\n',
      good + '\0',
      ' ' + good,
      good.substr(0, good.size() - 1),
      good.substr(0, first) + "=" + good.substr(first),
      good.substr(0, second) + '.' + "+/" + good.substr(second + 3),
      std::string(16, '.'),
  };
  for (const std::string& token : broken) {
    EXPECT_EQ(token_code(token), ErrorCode::kUnauthorized) << token;
  }
  // 64 bytes leave 4 spare bits in the last letter: only zero is canonical.
  std::string spare = good;
  spare.back() = static_cast<char>(spare.back() + 1);
  EXPECT_EQ(token_code(spare), ErrorCode::kUnauthorized);
}

TEST_F(TokenForm, EveryChangedLetterIsSeen) {
  const std::string good = key().token(kHeader, Claims().text());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(token_code(changed), ErrorCode::kUnauthorized) << i;
  }
}

TEST_F(TokenForm, SizesAreBounded) {
  Claims claims;
  claims.more = R"(,"x":")" + std::string(11'700, 'x') + '"';
  EXPECT_EQ(code(claims), ErrorCode::kNone);
  claims.more = R"(,"x":")" + std::string(12'288, 'x') + '"';
  EXPECT_EQ(code(claims), ErrorCode::kUnauthorized);
  EXPECT_EQ(header_code(R"({"alg":"ES256","x":")" + std::string(12'288, 'x') + R"("})"),
            ErrorCode::kUnauthorized);
  const std::string good = key().token(kHeader, Claims().text());
  EXPECT_EQ(token_code(good + std::string(limits::kCredentialBytesMax, 'A')),
            ErrorCode::kUnauthorized);
  EXPECT_EQ(token_code(good.substr(0, good.rfind('.') + 1) + std::string(3'000, 'A')),
            ErrorCode::kUnauthorized);
}

TEST_F(TokenForm, EveryAlgorithmVerifies) {
  const struct {
    TestKey key;
    const char* header;
  } cases[] = {{TestKey::ec(), R"({"alg":"ES256"})"},
               {TestKey::ec("P-384"), R"({"alg":"ES384"})"},
               {TestKey::rsa(), R"({"alg":"RS256","typ":"at+jwt"})"},
               {TestKey::ed25519(), R"({"alg":"EdDSA","typ":"jwt","kid":"x"})"}};
  for (const auto& one : cases) {
    const Door verifier(policy(), one.key.set());
    const auto principal = verifier.verify(one.key.token(one.header, Claims().text()), kNow);
    EXPECT_TRUE(principal) << one.header;
  }
  const TestKey rsa = TestKey::rsa();
  const Door verifier(policy(), rsa.set());
  const std::string token = rsa.pss_token(R"({"alg":"PS256"})", Claims().text());
  EXPECT_TRUE(verifier.verify(token, kNow));
}

}  // namespace kg::auth::token_form_test
