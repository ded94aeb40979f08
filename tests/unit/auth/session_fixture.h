// A verifier with one P-256 key, and a claims set that it accepts until a test changes it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/unit/auth/door.h"
#include "tests/unit/auth/forge.h"

namespace kg::auth::forge {

inline constexpr int64_t kNow = 1'800'000'000;
inline constexpr std::string_view kHeader = R"({"alg":"ES256","typ":"JWT"})";
inline constexpr const char* kRole = "arn:aws:iam::123456789012:role/analyst";

inline DoorRules policy() {
  DoorRules policy;
  policy.realm = "studio";
  policy.issuer = "https://studio.example.com";
  policy.audience = "kernelgate";
  policy.endpoint_id = "abc123";
  policy.execution_role_arn = kRole;
  return policy;
}

// One claims set as text, so that tests can say what no JSON library would write.
struct Claims {
  std::string iss = R"("iss":"https://studio.example.com",)";
  std::string aud = R"("aud":"kernelgate",)";
  std::string sub = R"("sub":"alice",)";
  std::string endpoint = R"("endpoint":"abc123",)";
  std::string iat = R"("iat":1799999900,)";
  std::string exp = R"("exp":1800000800)";
  std::string more;

  std::string text() const { return '{' + iss + aud + sub + endpoint + iat + exp + more + '}'; }
};

class SessionFixture : public testing::Test {
 protected:
  static const TestKey& key() {
    static const TestKey key = TestKey::ec();
    return key;
  }
  Result<Principal> verify(const Claims& claims, int64_t now = kNow) const {
    return verifier_.verify(key().token(kHeader, claims.text()), now);
  }
  Result<Principal> verify_header(std::string_view header) const {
    return verifier_.verify(key().token(header, Claims().text()), kNow);
  }
  ErrorCode code(const Claims& claims, int64_t now = kNow) const {
    const Result<Principal> result = verify(claims, now);
    return result ? ErrorCode::kNone : result.error().code;
  }
  ErrorCode header_code(std::string_view header) const {
    const Result<Principal> result = verify_header(header);
    return result ? ErrorCode::kNone : result.error().code;
  }
  ErrorCode token_code(std::string_view token) const {
    const Result<Principal> result = verifier_.verify(token, kNow);
    return result ? ErrorCode::kNone : result.error().code;
  }

  Door verifier_{policy(), key().set()};
};

}  // namespace kg::auth::forge
