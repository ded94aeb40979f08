#include "auth/session_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/base/limits.h"
#include "tests/unit/auth/forge.h"

namespace kg::auth {
namespace {

using forge::TestKey;

constexpr int64_t kNow = 1'800'000'000;

SessionPolicy policy(const char* endpoint = "abc123") {
  SessionPolicy policy;
  policy.realm = "studio";
  policy.issuer = "issuer";
  policy.audience = "kernelgate";
  policy.endpoint_id = endpoint;
  return policy;
}

class SessionCacheTest : public testing::Test {
 protected:
  static const TestKey& key() {
    static const TestKey key = TestKey::ed25519();  // signs fastest
    return key;
  }
  static std::string token(const std::string& subject, int64_t expires_at = kNow + 900,
                           const char* endpoint = "abc123") {
    return key().token(R"({"alg":"EdDSA"})", R"({"iss":"issuer","aud":"kernelgate","sub":")" +
                                                 subject + R"(","endpoint":")" + endpoint +
                                                 R"(","exp":)" + std::to_string(expires_at) + '}');
  }

  SessionVerifier verifier_{policy(), key().set()};
  SessionCache cache_;
};

TEST_F(SessionCacheTest, AHitIsTheSamePrincipal) {
  const std::string alice = token("alice");
  const auto first = cache_.verify(verifier_, alice, kNow);
  const auto second = cache_.verify(verifier_, alice, kNow + 1);
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*first)->subject, "alice");
  EXPECT_EQ(first->get(), second->get());
  EXPECT_EQ(cache_.size(), 1U);
  const auto other = cache_.verify(verifier_, token("bob"), kNow);
  ASSERT_TRUE(other);
  EXPECT_EQ((*other)->subject, "bob");
  EXPECT_EQ(cache_.size(), 2U);
}

TEST_F(SessionCacheTest, EntriesEndWithTheSession) {
  const std::string alice = token("alice", kNow + 10);
  ASSERT_TRUE(cache_.verify(verifier_, alice, kNow));
  EXPECT_TRUE(cache_.verify(verifier_, alice, kNow + 9));
  const auto expired = cache_.verify(verifier_, alice, kNow + 10);
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().code, ErrorCode::kSessionExpired);
  EXPECT_EQ(cache_.size(), 0U);
  EXPECT_FALSE(cache_.verify(verifier_, alice, kNow + 10)) << "nor by verification";
  EXPECT_EQ(cache_.size(), 0U);
}

TEST_F(SessionCacheTest, AnEntryAnswersForItsVerifierOnly) {
  const std::string alice = token("alice");
  ASSERT_TRUE(cache_.verify(verifier_, alice, kNow));
  const SessionVerifier other(policy("other"), key().set());
  const auto refused = cache_.verify(other, alice, kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kForbidden);
  // Keys that were taken away: the cached principal does not outlive them.
  const SessionVerifier rotated(policy(), TestKey::ed25519().set());
  EXPECT_FALSE(cache_.verify(rotated, alice, kNow));
  EXPECT_EQ(cache_.size(), 1U);
}

TEST_F(SessionCacheTest, ANewVerifierAtAnOldAddressStartsAnew) {
  const std::string alice = token("alice");
  std::optional<SessionVerifier> verifier(std::in_place, policy(), key().set());
  ASSERT_TRUE(cache_.verify(*verifier, alice, kNow));
  verifier.emplace(policy(), TestKey::ed25519().set());
  EXPECT_FALSE(cache_.verify(*verifier, alice, kNow));
}

TEST_F(SessionCacheTest, BadTokensNeverEnter) {
  const std::string alice = token("alice");
  std::string changed = alice;
  changed[changed.size() - 3] = changed[changed.size() - 3] == 'A' ? 'B' : 'A';
  for (const std::string& bad :
       {std::string(), std::string("x.y.z"), changed, token("eve", kNow - 1),
        token("eve", kNow + 900, "other"), TestKey::ed25519().token(R"({"alg":"EdDSA"})", "{}"),
        std::string(limits::kCredentialBytesMax + 1, 'A')}) {
    EXPECT_FALSE(cache_.verify(verifier_, bad, kNow)) << bad;
    EXPECT_EQ(cache_.size(), 0U);
  }
  ASSERT_TRUE(cache_.verify(verifier_, alice, kNow));
  EXPECT_FALSE(cache_.verify(verifier_, changed, kNow));
}

TEST_F(SessionCacheTest, ForgetsAllOnDemand) {
  const std::string alice = token("alice");
  const auto before = cache_.verify(verifier_, alice, kNow);
  cache_.forget_all();
  EXPECT_EQ(cache_.size(), 0U);
  const auto after = cache_.verify(verifier_, alice, kNow);
  ASSERT_TRUE(before && after);
  EXPECT_NE(before->get(), after->get());
  EXPECT_EQ((*before)->subject, "alice") << "who holds a principal keeps it";
}

TEST_F(SessionCacheTest, TheOldestLeavesWhenFull) {
  const std::string first = token("first");
  const std::string second = token("second");
  const auto held = cache_.verify(verifier_, first, kNow);
  const auto kept = cache_.verify(verifier_, second, kNow);
  ASSERT_TRUE(held && kept);
  for (uint32_t i = 2; i < limits::kSessionCacheMax + 1; ++i) {
    ASSERT_TRUE(cache_.verify(verifier_, token("user" + std::to_string(i)), kNow));
  }
  EXPECT_EQ(cache_.size(), limits::kSessionCacheMax);
  const auto kept_again = cache_.verify(verifier_, second, kNow);
  ASSERT_TRUE(kept_again);
  EXPECT_EQ(kept->get(), kept_again->get()) << "the second oldest stayed";
  const auto held_again = cache_.verify(verifier_, first, kNow);
  ASSERT_TRUE(held_again);
  EXPECT_NE(held->get(), held_again->get()) << "the oldest was verified anew";
  EXPECT_EQ(cache_.size(), limits::kSessionCacheMax);
}

}  // namespace
}  // namespace kg::auth
