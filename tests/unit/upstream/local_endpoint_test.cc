#include "proxy/upstream/local_endpoint.h"

#include <gmock/gmock.h>

#include "gateway_script.h"
#include "proxy/base/limits.h"

namespace kg::upstream {
namespace {

class EndpointRegistryTest : public GatewayTest {
 protected:
  routing::EndpointRef make(const std::string& id, uint32_t slot = 1) {
    auto endpoint = std::make_shared<routing::Endpoint>();
    endpoint->id = id;
    endpoint->metrics_slot = slot;
    endpoint->pod = pod_;
    return endpoint;
  }
  EndpointRegistry registry_{loop_, metrics_, 0};
};

TEST_F(EndpointRegistryTest, PinsOfOneEndpointShareItsSide) {
  const routing::EndpointRef a = make("a", 1);
  const routing::EndpointRef b = make("b", 2);
  const EndpointPin first = registry_.pin(a);
  const EndpointPin second = registry_.pin(a);
  const EndpointPin other = registry_.pin(b);
  EXPECT_EQ(first.get(), second.get());
  EXPECT_NE(first.get(), other.get());
  EXPECT_EQ(first->pins, 2U);
  EXPECT_EQ(first->endpoint, a);
  EXPECT_EQ(&first->counters, &metrics_.endpoint(1));
  EXPECT_EQ(&other->counters, &metrics_.endpoint(2));
}

TEST_F(EndpointRegistryTest, APinMovesAndEndsOnce) {
  const routing::EndpointRef a = make("a");
  const routing::EndpointRef b = make("b");
  EndpointPin pin = registry_.pin(a);
  LocalEndpoint* local = pin.get();
  EndpointPin moved = std::move(pin);
  EXPECT_FALSE(pin);  // NOLINT(bugprone-use-after-move): what a moved pin is, is the question
  EXPECT_EQ(moved.get(), local);
  EXPECT_EQ(local->pins, 1U);
  moved = registry_.pin(b);
  EXPECT_EQ(local->pins, 0U);
  moved.release();
  moved.release();
  EXPECT_FALSE(moved);
  EXPECT_FALSE(EndpointPin());
}

TEST_F(EndpointRegistryTest, AnUnpinnedOneStaysUntilItIsRetired) {
  routing::EndpointRef a = make("a");
  const std::weak_ptr<const routing::Endpoint> watch = a;
  LocalEndpoint* local = registry_.pin(a).get();
  EXPECT_EQ(registry_.pin(a).get(), local) << "its connections are kept between exchanges";
  a.reset();
  loop_.settle();
  EXPECT_FALSE(watch.expired());
  registry_.retire_all();
  loop_.settle();
  EXPECT_TRUE(watch.expired());
}

TEST_F(EndpointRegistryTest, ARetiredOneLivesAsLongAsItsLastPin) {
  routing::EndpointRef a = make("a");
  const std::weak_ptr<const routing::Endpoint> watch = a;
  EndpointPin first = registry_.pin(a);
  EndpointPin second = registry_.pin(a);
  a.reset();
  registry_.retire_all();
  registry_.retire_all();
  loop_.settle();
  EXPECT_TRUE(first->retired);
  first.release();
  loop_.settle();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(second->endpoint->id, "a");
  second.release();
  EXPECT_FALSE(watch.expired()) << "it dies between turns";
  loop_.settle();
  EXPECT_TRUE(watch.expired());
}

TEST_F(EndpointRegistryTest, TheNextSnapshotsEndpointIsAnotherOne) {
  const routing::EndpointRef before = make("a");
  const routing::EndpointRef after = make("a");
  const EndpointPin old_pin = registry_.pin(before);
  registry_.retire_all();
  const EndpointPin new_pin = registry_.pin(after);
  EXPECT_NE(old_pin.get(), new_pin.get());
  EXPECT_FALSE(new_pin->retired);
}

TEST_F(EndpointRegistryTest, SuspicionIsCountedAndEndsWithAnAnswerOrTheEndpoint) {
  const routing::EndpointRef a = make("a", 1);
  EndpointPin pin = registry_.pin(a);
  const auto fail = [&](ErrorCode code) {
    for (uint32_t i = 0; i < limits::kOutlierFailures; ++i) pin->failed(code, 1);
  };
  for (const ErrorCode code : {ErrorCode::kUpstreamTimeout, ErrorCode::kUpstreamBusy,
                               ErrorCode::kUpstreamStalled, ErrorCode::kClientGone}) {
    fail(code);
    EXPECT_FALSE(pin->outlier.suspects()) << error_row(code).label;
  }
  fail(ErrorCode::kUpstreamConnect);
  EXPECT_TRUE(pin->outlier.suspects());
  EXPECT_EQ(counters_.pod_suspect.get(), 1U);
  pin->answered(500, 1);
  EXPECT_EQ(counters_.pod_suspect.get(), 0U);
  for (const int status : {502, 503, 504, 502, 503}) {
    pin->answered(static_cast<uint16_t>(status), 1);
  }
  EXPECT_EQ(counters_.pod_suspect.get(), 1U);
  EXPECT_EQ(counters_.pod_suspected.get(), 2U);
  pin.release();
  registry_.retire_all();
  loop_.settle();
  EXPECT_EQ(counters_.pod_suspect.get(), 0U);
}

TEST_F(EndpointRegistryTest, RetiringClosesIdleConnectionsAndSparesBusyOnes) {
  const routing::EndpointRef a = make("a");
  EndpointPin pin = registry_.pin(a);
  Caller idle(pin->pool);
  Caller busy(pin->pool);
  ASSERT_TRUE(idle.ask());
  ASSERT_TRUE(run_until([&] { return idle.done; }));
  ASSERT_TRUE(busy.ask(LeaseKind::kFresh));
  EXPECT_EQ(open_now(), 2U);
  registry_.retire_all();
  EXPECT_EQ(open_now(), 1U);
  EXPECT_TRUE(run_until([&] { return busy.done; }));
  EXPECT_FALSE(busy.error);
  pin.release();
  run_turns();
  EXPECT_EQ(open_now(), 0U);
}

}  // namespace
}  // namespace kg::upstream
