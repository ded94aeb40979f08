#include "proxy/exchange/list_verdicts.h"

#include <gtest/gtest.h>

namespace kg::exchange::list_verdicts_test {

using Ids = std::vector<std::string>;

auth::PrincipalRef person(const std::string& subject) {
  auto who = std::make_shared<auth::Principal>();
  who->realm = "studio";
  who->subject = subject;
  return who;
}

class ListVerdictsTest : public testing::Test {
 protected:
  ListVerdictsTest() {
    std::string error;
    keys_ = kernel::KernelIdKeys::parse(kernel::KernelIdKeys::new_file_text(), error);
    at_.id = "ep";
    at_.sessions = std::make_shared<const auth::Sessions>(auth::Sessions::Chain(), auth::Policy());
  }
  std::string kernel_of(const std::string& subject) {
    const auto who = person(subject);
    return keys_->mint("ep", *creation_scope(*who, at_.kernels), 1, kernel::random_nonce());
  }
  // The next list of that pod.
  const upstream::PodList& list(const Ids& ids, uint64_t source = 1) {
    std::string body = "[";
    for (const std::string& id : ids) {
      body += std::string(body.size() > 1 ? "," : "") + R"({"id":")" + id + R"("})";
    }
    auto kernels = kernel::KernelList::read(body + "]");
    kernels->follow(lists_.empty() ? nullptr : &lists_.back()->kernels, ++serial_);
    lists_.push_back(std::make_shared<upstream::PodList>(
        upstream::PodList{*std::move(kernels), source, serial_}));
    return *lists_.back();
  }
  KernelAccess& as(const std::string& subject) {
    access_.is_for(keys_, at_, person(subject));
    return access_;
  }
  Ids usable(const upstream::PodList& list, const std::string& subject) {
    return ids_of(verdicts_.usable(list, as(subject)));
  }
  Ids owned(const upstream::PodList& list, const std::string& subject) {
    return ids_of(verdicts_.owned(list, as(subject)));
  }
  static Ids ids_of(const ListVerdicts::Kernels& kernels) {
    Ids ids;
    for (const kernel::ListedKernel* kernel : kernels) ids.emplace_back(kernel->id);
    return ids;
  }

  std::shared_ptr<const kernel::KernelIdKeys> keys_;
  routing::Endpoint at_;
  KernelAccess access_;
  ListVerdicts verdicts_;
  std::vector<std::shared_ptr<upstream::PodList>> lists_;
  uint64_t serial_ = 0;
};

TEST_F(ListVerdictsTest, SaysTheSameOfEveryListWhoeverAsks) {
  const Ids a{kernel_of("alice"), kernel_of("alice"), kernel_of("alice")};
  const Ids b{kernel_of("bob"), kernel_of("bob")};
  const auto& first = list({a[0], b[0], a[1]});
  EXPECT_EQ(usable(first, "alice"), (Ids{a[0], a[1]}));
  EXPECT_EQ(usable(first, "bob"), Ids{b[0]});
  EXPECT_EQ(usable(first, "carol"), Ids{});
  EXPECT_EQ(usable(first, "alice"), (Ids{a[0], a[1]})) << "the same list again";
  const auto& second = list({b[1], a[1], b[0], a[2]});
  EXPECT_EQ(usable(second, "alice"), (Ids{a[1], a[2]}));
  const auto& third = list({a[0], b[1], a[2]});
  EXPECT_EQ(usable(third, "bob"), Ids{b[1]}) << "who has not seen the second";
  EXPECT_EQ(usable(third, "alice"), (Ids{a[0], a[2]})) << "one came back";
  EXPECT_EQ(usable(second, "alice"), Ids{a[2]}) << "of an older list what is still there";
}

TEST_F(ListVerdictsTest, PodsHaveListsOfTheirOwn) {
  const Ids a{kernel_of("alice"), kernel_of("alice")};
  EXPECT_EQ(usable(list({a[0]}, 1), "alice"), Ids{a[0]});
  lists_.clear();
  serial_ = 0;
  EXPECT_EQ(usable(list({a[1]}, 2), "alice"), Ids{a[1]});
}

TEST_F(ListVerdictsTest, ForeignKernelsAreUsableWhereTheEndpointSaysSoAndNobodysOwn) {
  const std::string foreign = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
  const std::string own = kernel_of("alice");
  EXPECT_EQ(usable(list({foreign, own}), "alice"), Ids{own});
  at_.kernels.foreign_ids = true;  // after a reload, that is with other sessions
  at_.sessions = std::make_shared<const auth::Sessions>(auth::Sessions::Chain(), auth::Policy());
  EXPECT_EQ(usable(*lists_.back(), "alice"), (Ids{foreign, own}));
  EXPECT_EQ(owned(*lists_.back(), "alice"), Ids{own});
}

TEST_F(ListVerdictsTest, OtherKeysJudgeAnew) {
  const std::string own = kernel_of("alice");
  const auto& one = list({own});
  EXPECT_EQ(usable(one, "alice"), Ids{own});
  std::string error;
  keys_ = kernel::KernelIdKeys::parse(kernel::KernelIdKeys::new_file_text(), error);
  EXPECT_EQ(usable(one, "alice"), Ids{});
}

TEST_F(ListVerdictsTest, IsBounded) {
  const std::string own = kernel_of("alice");
  const auto& one = list({own});
  for (size_t i = 0; i < limits::kListVerdictsMax + 10; ++i) usable(one, std::to_string(i));
  EXPECT_EQ(usable(one, "alice"), Ids{own});
  EXPECT_LE(verdicts_.callers(), limits::kListVerdictsMax);
}

}  // namespace kg::exchange::list_verdicts_test
