#include "proxy/exchange/kernel_access.h"

#include <gtest/gtest.h>

namespace kg::exchange::kernel_access_test {

using Answer = KernelAccess::Answer;
using Sharing = routing::KernelPolicy::Sharing;
using Keys = std::shared_ptr<const kernel::KernelIdKeys>;

Keys new_keys() {
  std::string error;
  return kernel::KernelIdKeys::parse(kernel::KernelIdKeys::new_file_text(), error);
}

auth::PrincipalRef person(const std::string& subject, std::vector<std::string> groups = {},
                          const std::string& realm = "studio") {
  auto who = std::make_shared<auth::Principal>();
  who->realm = realm;
  who->subject = subject;
  who->groups = std::move(groups);
  return who;
}

routing::Endpoint endpoint(Sharing sharing = Sharing::kOwner, const std::string& group = "",
                           bool foreign_ids = false) {
  routing::Endpoint out;
  out.id = "ep";
  out.kernels = {sharing, group, foreign_ids};
  out.sessions = std::make_shared<const auth::Sessions>(auth::Sessions::Chain(), auth::Policy());
  return out;
}

class KernelAccessTest : public testing::Test {
 protected:
  // Of a kernel that `who` starts now; "" if they may not.
  std::string created_by(const auth::PrincipalRef& who, const routing::Endpoint& at) const {
    const auto scope = creation_scope(*who, at.kernels);
    return scope ? keys_->mint(at.id, *scope, 1, kernel::random_nonce()) : "";
  }
  Answer ask(const routing::Endpoint& at, const auth::PrincipalRef& who, const std::string& id) {
    access_.is_for(keys_, at, who);
    return access_.may_use(id);
  }
  Keys keys_ = new_keys();
  KernelAccess access_;  // one connection for all of them, as behind a load balancer
};

// Everybody against everybody's kernel, in turns, on one connection: nobody profits from what is
// remembered of somebody else.
TEST_F(KernelAccessTest, GivesEachTheirOwnHoweverTheyTakeTurns) {
  const routing::Endpoint at = endpoint();
  const std::vector<auth::PrincipalRef> people{person("alice"), person("bob"),
                                               person("alice", {}, "other"), person("", {"alice"})};
  std::vector<std::string> ids;
  for (const auto& who : people) ids.push_back(created_by(who, at));
  for (int round = 0; round < 3; ++round) {
    for (size_t kernel = 0; kernel < ids.size(); ++kernel) {
      for (size_t who = 0; who < people.size(); ++who) {
        EXPECT_EQ(ask(at, people[who], ids[kernel]),
                  who == kernel ? Answer::kAllowed : Answer::kOthers);
      }
    }
  }
}

TEST_F(KernelAccessTest, SharesWithAGroupWhatItsMembersCreate) {
  const routing::Endpoint at = endpoint(Sharing::kGroup, "analytics");
  const std::string id = created_by(person("alice", {"x", "analytics"}), at);
  EXPECT_EQ(ask(at, person("bob", {"analytics"}), id), Answer::kAllowed);
  EXPECT_EQ(ask(at, person("bob", {"x"}), id), Answer::kOthers);
  EXPECT_EQ(created_by(person("bob", {"x"}), at), "");
}

TEST_F(KernelAccessTest, TriesTheGroupOfThePolicyBeforeTheOthers) {
  std::vector<std::string> groups;
  for (int i = 0; i < 63; ++i) groups.push_back("g" + std::to_string(i));
  groups.push_back("analytics");
  const routing::Endpoint at = endpoint(Sharing::kGroup, "analytics");
  const std::string id = created_by(person("alice", {"analytics"}), at);
  EXPECT_EQ(ask(at, person("bob", groups), id), Answer::kAllowed);
  // A kernel of the time before `sharing` changed.
  const routing::Endpoint now = endpoint(Sharing::kGroup, "leads");
  EXPECT_EQ(ask(now, person("bob", {"analytics"}), id), Answer::kAllowed);
}

TEST_F(KernelAccessTest, LetsForeignIdsPassWhereTheEndpointSaysSo) {
  const std::string foreign = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
  EXPECT_EQ(ask(endpoint(), person("alice"), foreign), Answer::kForeign);
  const routing::Endpoint moving = endpoint(Sharing::kOwner, "", true);
  EXPECT_EQ(ask(moving, person("alice"), foreign), Answer::kAllowed);
  const std::string id = created_by(person("bob"), moving);
  EXPECT_EQ(ask(moving, person("alice"), id), Answer::kOthers);
}

TEST_F(KernelAccessTest, ForgetsWithTheKeysAndTheRoutes) {
  const auto alice = person("alice");
  const routing::Endpoint at = endpoint();
  const std::string id = created_by(alice, at);
  EXPECT_EQ(ask(at, alice, id), Answer::kAllowed);
  routing::Endpoint other = endpoint();
  other.id = "other";
  EXPECT_EQ(ask(other, alice, id), Answer::kForeign);
  EXPECT_EQ(ask(at, alice, id), Answer::kAllowed);
  keys_ = new_keys();
  EXPECT_EQ(ask(at, alice, id), Answer::kForeign);
}

}  // namespace kg::exchange::kernel_access_test
