#include "proxy/upstream/pod_census.h"

#include "gateway_script.h"
#include "proxy/kernel/kernel_id.h"

namespace kg::upstream::pod_census_test {

constexpr uint32_t kFirst = 0x111111;
constexpr uint32_t kSecond = 0x222222;
const std::string kForeign = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";

std::string id_of(uint32_t tag) { return kernel::format_kernel_id({.pod_tag = tag, .nonce = 7}); }

std::string entry(const std::string& id, const std::string& state) {
  return R"({"id":")" + id + R"(","execution_state":")" + state + "\"}";
}

// Two pods at one address: both tell the same list.
class PodCensusTest : public GatewayTest {
 protected:
  PodCensusTest() {
    auto endpoint = std::make_shared<routing::Endpoint>();
    endpoint->census_ms = 10;
    for (const uint32_t tag : {kFirst, kSecond}) {
      routing::Pod pod;
      pod.name = "jeg-" + std::to_string(tag);
      pod.tag = tag;
      pod.address = gateway_.address();
      endpoint->pods.push_back(std::move(pod));
    }
    endpoint_ = endpoint;
    gateway_.close_after_answer = true;
  }
  const routing::PodFacts& facts(size_t pod) const { return *endpoint_->pods[pod].facts; }
  void answer(const std::string& body, const std::string& status = "200 OK") {
    gateway_.answer = "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
                      "\r\n\r\n" + body;
  }
  bool comes_to(size_t pod, const kernel::KernelCensus& expected) {
    return run_until([&] {
      const auto count = census_.find(facts(pod));
      return count && count->kernels == expected;
    });
  }

  std::shared_ptr<const routing::Endpoint> endpoint_;
  PodCensus census_{loop_, 0};
};

TEST_F(PodCensusTest, AKernelCountsAtThePodThatItsIdNames) {
  answer("[" + entry(id_of(kFirst), "busy") + "," + entry(id_of(kSecond), "idle") + "," +
         entry(kForeign, "starting") + "]");
  EXPECT_FALSE(census_.find(facts(0)));
  census_.apply({endpoint_});
  EXPECT_TRUE(comes_to(0, {.busy = 1, .other = 1, .copies = 1}));
  EXPECT_TRUE(comes_to(1, {.idle = 1, .other = 1, .copies = 1}));
  EXPECT_EQ(facts(0).kernels(), 2U);
}

TEST_F(PodCensusTest, KernelsOfAPodThatIsGoneCountWhereTheyAre) {
  answer("[" + entry(id_of(kSecond), "idle") + "]");
  census_.apply({endpoint_});
  EXPECT_TRUE(comes_to(0, {.copies = 1}));
  endpoint_->pods[1].facts->set_gone(true);
  EXPECT_TRUE(comes_to(0, {.idle = 1}));
}

TEST_F(PodCensusTest, AnAnswerThatIsNoListChangesNothing) {
  answer("[" + entry(kForeign, "idle") + "]");
  census_.apply({endpoint_});
  ASSERT_TRUE(comes_to(0, {.idle = 1}));
  for (const char* status : {"200 OK", "403 Forbidden"}) {
    answer("{}", status);
    const size_t asked = gateway_.peers.size();
    ASSERT_TRUE(run_until([&] { return gateway_.peers.size() >= asked + 6; }));
    EXPECT_EQ(census_.find(facts(0))->kernels, (kernel::KernelCensus{.idle = 1}));
  }
}

TEST_F(PodCensusTest, WhatIsKnownOutlivesAReloadAndKnowsOfStartsInFlight) {
  answer("[]");
  census_.apply({endpoint_});
  ASSERT_TRUE(comes_to(0, {}));
  EXPECT_FALSE(census_.find(facts(0))->launches_then);
  endpoint_->pods[0].facts->begin_launch();
  EXPECT_TRUE(run_until([&] { return census_.find(facts(0))->launches_then; }));
  census_.apply({endpoint_});
  EXPECT_TRUE(census_.find(facts(0)));
  census_.apply({});
  EXPECT_FALSE(census_.find(facts(0)));
}

TEST_F(PodCensusTest, NobodyIsAskedWhereItIsOffOrEachCallerHasATokenOfHisOwn) {
  auto off = std::make_shared<routing::Endpoint>(*endpoint_);
  off->census_ms = 0;
  auto forward = std::make_shared<routing::Endpoint>(*endpoint_);
  forward->forwards_credentials = true;
  census_.apply({off, forward});
  run_turns();
  EXPECT_TRUE(gateway_.peers.empty());
}

}  // namespace kg::upstream::pod_census_test
