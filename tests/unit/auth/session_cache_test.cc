#include "auth/session_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/base/limits.h"

namespace kg::auth::session_cache_test {

constexpr int64_t kNow = 1'800'000'000;

// A link whose generation tests turn.
class Link final : public Authenticator {
 public:
  Proof proof() const noexcept override { return Proof::kToken; }
  Verdict judge(const Evidence& /*evidence*/, int64_t /*now*/) const override {
    return Verdict::not_mine("");
  }
  uint64_t generation() const noexcept override { return generation_; }
  uint64_t generation_ = 1;
};

class SessionCacheTest : public testing::Test {
 protected:
  SessionCache::Key key(std::string_view credential) {
    return cache_.key_of(sessions_, Proof::kToken, credential);
  }
  // As a request of a connection of its own.
  PrincipalRef find(std::string_view credential, int64_t now = kNow) {
    SessionCache::Slot fresh;
    return cache_.find(key(credential), fresh, now);
  }
  PrincipalRef remember(std::string_view credential, int64_t expires_at = kNow + 900,
                        int64_t believed_until = 0) {
    Principal principal;
    principal.subject = credential;
    principal.expires_at = expires_at;
    principal.believed_until = believed_until;
    auto shared = std::make_shared<const Principal>(std::move(principal));
    cache_.remember(key(credential), &slot_, {shared, &link_, link_.generation_});
    return shared;
  }

  Sessions sessions_{{}, {}};
  Link link_;
  SessionCache cache_;
  SessionCache::Slot slot_;
};

TEST_F(SessionCacheTest, AHitIsTheSamePrincipal) {
  const PrincipalRef alice = remember("alice");
  const PrincipalRef bob = remember("bob");
  EXPECT_EQ(find("alice"), alice);
  EXPECT_EQ(find("bob", kNow + 1), bob);
  EXPECT_EQ(find("eve"), nullptr);
  EXPECT_EQ(cache_.size(), 2U);
}

TEST_F(SessionCacheTest, AnExpiredSessionIsSaidOnceAndForgotten) {
  remember("alice", kNow + 10);
  EXPECT_NE(find("alice", kNow + 9), nullptr);
  EXPECT_NE(find("alice", kNow + 10), nullptr) << "so that the policy can say expired";
  EXPECT_EQ(cache_.size(), 0U);
  EXPECT_EQ(find("alice", kNow + 10), nullptr);
}

TEST_F(SessionCacheTest, WhatIsBelievedForAWhileIsAskedForAgain) {
  remember("alice", kNow + 900, kNow + 10);
  EXPECT_NE(find("alice", kNow + 9), nullptr);
  EXPECT_EQ(find("alice", kNow + 10), nullptr);
}

TEST_F(SessionCacheTest, AnotherGenerationOfKeysForgets) {
  remember("alice");
  ++link_.generation_;
  EXPECT_EQ(find("alice"), nullptr);
  EXPECT_EQ(cache_.size(), 0U);
}

TEST_F(SessionCacheTest, KeysDifferBySessionsAndProof) {
  const Sessions other({}, {});
  EXPECT_NE(other.id(), 0U);
  EXPECT_NE(cache_.key_of(other, Proof::kToken, "alice"), key("alice"));
  EXPECT_NE(cache_.key_of(sessions_, Proof::kLoadBalancer, "alice"), key("alice"));
}

TEST_F(SessionCacheTest, ForgetsAllOnDemand) {
  const PrincipalRef before = remember("alice");
  cache_.forget_all();
  EXPECT_EQ(cache_.size(), 0U);
  EXPECT_EQ(find("alice"), nullptr);
  EXPECT_EQ(before->subject, "alice") << "who holds a principal keeps it";
}

TEST_F(SessionCacheTest, TheOldestLeavesWhenFull) {
  remember("first");
  remember("second");
  for (uint32_t i = 2; i < limits::kSessionCacheMax + 1; ++i) remember(std::to_string(i));
  EXPECT_EQ(cache_.size(), limits::kSessionCacheMax);
  EXPECT_EQ(find("first"), nullptr);
  EXPECT_NE(find("second"), nullptr) << "the second oldest stayed";
}

TEST_F(SessionCacheTest, AConnectionsLastCredentialOutlivesEviction) {
  const PrincipalRef alice = remember("alice");
  SessionCache::Slot slot = slot_;
  cache_.forget_all();
  EXPECT_EQ(find("alice"), nullptr);
  EXPECT_EQ(cache_.find(key("alice"), slot, kNow), alice);
  EXPECT_EQ(cache_.find(key("bob"), slot, kNow), nullptr) << "of that credential alone";
  EXPECT_EQ(cache_.find(key("alice"), slot, kNow), alice);
  ++link_.generation_;
  EXPECT_EQ(cache_.find(key("alice"), slot, kNow), nullptr) << "a key was withdrawn";
  EXPECT_EQ(slot.known.principal, nullptr);
}

TEST_F(SessionCacheTest, AHitInTheTableFillsTheConnectionsSlot) {
  const PrincipalRef alice = remember("alice");
  SessionCache::Slot slot;
  EXPECT_EQ(cache_.find(key("alice"), slot, kNow), alice);
  cache_.forget_all();
  EXPECT_EQ(cache_.find(key("alice"), slot, kNow), alice);
}

// A key that is withdrawn while its token is being verified.
TEST_F(SessionCacheTest, WhatWasJudgedByAnOlderGenerationIsNotBelieved) {
  Principal principal;
  principal.expires_at = kNow + 900;
  const uint64_t before = link_.generation_++;
  cache_.remember(key("alice"), nullptr,
                  {std::make_shared<const Principal>(principal), &link_, before});
  EXPECT_EQ(find("alice"), nullptr);
}

TEST_F(SessionCacheTest, RefusalsAreRememberedForSeconds) {
  cache_.remember_refusal(key("eve"), {ErrorCode::kUnauthorized, "why", 0}, kNow);
  const auto refused = cache_.find_refusal(key("eve"), kNow + limits::kSessionRefusedSeconds - 1);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::kUnauthorized);
  EXPECT_STREQ(refused->detail, "why");
  EXPECT_FALSE(cache_.find_refusal(key("eve"), kNow + limits::kSessionRefusedSeconds));
  EXPECT_FALSE(cache_.find_refusal(key("alice"), kNow));
}

TEST_F(SessionCacheTest, AFloodOfRefusalsEvictsNobody) {
  const PrincipalRef alice = remember("alice");
  for (uint32_t i = 0; i < 20 * limits::kSessionRefusalsMax; ++i) {
    cache_.remember_refusal(key(std::to_string(i)), {ErrorCode::kUnauthorized, "", 0}, kNow);
  }
  EXPECT_EQ(find("alice"), alice);
  EXPECT_EQ(cache_.size(), 1U);
}

TEST_F(SessionCacheTest, TwoWorkersHashDifferently) {
  SessionCache other;
  EXPECT_NE(other.key_of(sessions_, Proof::kToken, "alice"), key("alice"));
}

TEST_F(SessionCacheTest, ARepetitionTakesNoSecondPlace) {
  remember("alice");
  const PrincipalRef again = remember("alice");
  EXPECT_EQ(cache_.size(), 1U);
  EXPECT_EQ(find("alice"), again);
}

}  // namespace kg::auth::session_cache_test
