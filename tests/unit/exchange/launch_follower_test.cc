#include "proxy/exchange/launch_follower.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "proxy/base/limits.h"
#include "tests/unit/upstream/gateway_script.h"

namespace kg::exchange::launch_follower_test {

const std::string kKernel = "11111111-1111-4111-8111-111111111111";

class LaunchFollowersTest : public upstream::GatewayTest {
 protected:
  LaunchFollowersTest() {
    auto endpoint = std::make_shared<routing::Endpoint>();
    endpoint->id = "ep";
    endpoint->pods = {pod_};
    pin_ = registry_.pin(endpoint);
    pod_of_it_ = pin_->pods.front().get();
    gateway_.answer = answer(R"([{"id":")" + kKernel + R"("}])");  // to whatever is asked
  }
  ~LaunchFollowersTest() override { loop_.settle(); }  // they pin the endpoint
  static std::string answer(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::unique_ptr<Launch> launch() {
    kernel::LaunchFault fault;
    auto made = std::make_unique<Launch>(*kernel::LaunchBody::read("{}", {}, fault));
    made->answer->kernel_id = kKernel;
    return made;
  }
  void lose() {
    followers_.look_for(launch(), registry_.pin(pin_->endpoint), *pod_of_it_,
                        std::make_shared<LaunchAnswer>(), loop_.now_us());
  }
  const metrics::EndpointMetrics& counters() const { return pin_->counters; }

  upstream::EndpointRegistry registry_{loop_, metrics_, 0};
  upstream::EndpointPin pin_;
  upstream::LocalPod* pod_of_it_ = nullptr;
  LaunchFollowers followers_{loop_};
};

TEST_F(LaunchFollowersTest, DeletesWhatThePodLists) {
  bool empty = false;
  followers_.on_empty([&] { empty = true; });
  lose();
  EXPECT_EQ(counters().launches_followed.get(), 1U);
  ASSERT_TRUE(run_until([&] { return empty; }));
  EXPECT_EQ(counters().orphans_deleted.get(), 1U);
  EXPECT_EQ(counters().launches_lost.get(), 1U);
  EXPECT_EQ(counters().launches_followed.get(), 0U);
  EXPECT_EQ(pin_->pins, 1U);
}

TEST_F(LaunchFollowersTest, GivesEverythingBackWhenTheProcessEnds) {
  gateway_.answer.clear();
  lose();
  ASSERT_TRUE(run_until([&] { return opened() == 1; })) << "its list is asked for";
  followers_.abandon_all();
  EXPECT_EQ(followers_.size(), 0U);
  EXPECT_EQ(counters().orphans_left.get(), 1U);
  EXPECT_EQ(pin_->endpoint->pods.front().facts->launches(), 0U);
}

TEST_F(LaunchFollowersTest, FollowsABoundedNumber) {
  for (uint32_t i = 0; i < limits::kFollowedLaunchesMax + 2; ++i) lose();
  EXPECT_EQ(followers_.size(), limits::kFollowedLaunchesMax);
  EXPECT_EQ(counters().orphans_left.get(), 2U);
  followers_.abandon_all();
}

}  // namespace kg::exchange::launch_follower_test
