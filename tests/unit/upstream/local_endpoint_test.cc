#include "proxy/upstream/local_endpoint.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "gateway_script.h"
#include "proxy/base/limits.h"

namespace kg::upstream::local_endpoint_test {

class EndpointRegistryTest : public GatewayTest {
 protected:
  routing::EndpointRef make(const std::string& id, uint32_t slot = 1) {
    auto endpoint = std::make_shared<routing::Endpoint>();
    endpoint->id = id;
    endpoint->metrics_slot = slot;
    endpoint->pods = {pod_};
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
    for (uint32_t i = 0; i < limits::kOutlierFailures; ++i) pin->pods.front()->failed(code, 1);
  };
  for (const ErrorCode code : {ErrorCode::kUpstreamTimeout, ErrorCode::kUpstreamBusy,
                               ErrorCode::kUpstreamStalled, ErrorCode::kClientGone}) {
    fail(code);
    EXPECT_FALSE(pin->pods.front()->outlier.suspects()) << error_row(code).label;
  }
  fail(ErrorCode::kUpstreamConnect);
  EXPECT_TRUE(pin->pods.front()->outlier.suspects());
  EXPECT_EQ(counters_.pod_suspect.get(), 1U);
  pin->pods.front()->answered(500, 1);
  EXPECT_EQ(counters_.pod_suspect.get(), 0U);
  for (const int status : {502, 503, 504, 502, 503}) {
    pin->pods.front()->answered(static_cast<uint16_t>(status), 1);
  }
  EXPECT_EQ(counters_.pod_suspect.get(), 1U);
  EXPECT_EQ(counters_.pod_suspected.get(), 2U);
  pin.release();
  registry_.retire_all();
  loop_.settle();
  EXPECT_EQ(counters_.pod_suspect.get(), 0U);
}

TEST_F(EndpointRegistryTest, WhatAnyPodCanAnswerGoesToTheReadyOnesInTurn) {
  auto endpoint = std::make_shared<routing::Endpoint>();
  for (const char* name : {"a", "b", "c"}) {
    endpoint->pods.push_back(pod_);
    endpoint->pods.back().name = name;
    endpoint->pods.back().facts = std::make_shared<routing::PodFacts>();
  }
  const EndpointPin pin = registry_.pin(endpoint);
  const auto asked = [&](uint64_t now_us) {
    std::string names;
    for (int i = 0; i < 6; ++i) names += pin->any(now_us)->pod.name;
    std::sort(names.begin(), names.end());
    return names;
  };
  constexpr uint64_t kNow = 1'000'000'000;
  EXPECT_EQ(asked(kNow), "aabbcc");
  for (uint32_t i = 0; i < limits::kOutlierFailures; ++i) {
    pin->pods[0]->failed(ErrorCode::kUpstreamConnect, kNow);
  }
  EXPECT_EQ(asked(kNow), "bbbccc") << "it backs off";
  EXPECT_EQ(asked(kNow + limits::kOutlierBackoffMs * 1'000ULL), "aabbcc") << "on probation";
  endpoint->pods[1].facts->set_healthy(false);
  EXPECT_EQ(asked(kNow), "cccccc");
  endpoint->pods[2].facts->set_gone(true);
  EXPECT_EQ(asked(kNow).find('c'), std::string::npos);
}

TEST_F(EndpointRegistryTest, RemembersOnlyWhatATagDoesNotSay) {
  auto endpoint = std::make_shared<routing::Endpoint>();
  endpoint->pods = {pod_, pod_};
  endpoint->pods[0].tag = 1;
  endpoint->pods[1].tag = 2;
  EndpointPin pin = registry_.pin(endpoint);
  pin->saw("minted", 2, *pin->pods[1], 0);
  pin->saw("foreign", std::nullopt, *pin->pods[1], 0);
  pin->saw("rehomed", 1, *pin->pods[1], 5);
  EXPECT_FALSE(pin->kernels.find("minted").has_value());
  EXPECT_EQ(pin->kernels.find("foreign")->pod, 1U);
  EXPECT_EQ(pin->kernels.find("rehomed")->restarts, 5U);
  EXPECT_TRUE(pin->place_by("foreign", std::nullopt, pin->view_pods()).is_at(1));
  auto replicated = std::make_shared<routing::Endpoint>(*endpoint);
  replicated->replication = true;
  pin = registry_.pin(replicated);
  pin->saw("minted", 2, *pin->pods[1], 0);
  EXPECT_EQ(pin->place_by("minted", 2, pin->view_pods()).step, routing::Placement::Step::kGo);
  replicated->pods[1].facts->suspect_restart();
  EXPECT_EQ(pin->place_by("minted", 2, pin->view_pods()).step, routing::Placement::Step::kRevive);
}

TEST_F(EndpointRegistryTest, RetiringClosesIdleConnectionsAndSparesBusyOnes) {
  const routing::EndpointRef a = make("a");
  EndpointPin pin = registry_.pin(a);
  Caller idle(pin->pods.front()->pool);
  Caller busy(pin->pods.front()->pool);
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

TEST_F(EndpointRegistryTest, ANewKernelGoesToTheLessLoadedOfThePodsThatTakeOne) {
  auto endpoint = std::make_shared<routing::Endpoint>();
  endpoint->id = "a";
  endpoint->metrics_slot = 1;
  for (const char* name : {"jeg-0", "jeg-1"}) {
    routing::Pod pod = pod_;
    pod.name = name;
    pod.facts = std::make_shared<routing::PodFacts>();
    endpoint->pods.push_back(pod);
  }
  const EndpointPin pin = registry_.pin(endpoint);
  const auto chosen = [&](uint64_t tried = 0) {
    const LocalPod* pod = pin->choose(tried);
    return pod != nullptr ? pod->pod.name : "none";
  };
  endpoint->pods[0].facts->set_kernels(2);
  endpoint->pods[1].facts->begin_launch();
  EXPECT_EQ(chosen(), "jeg-1");
  endpoint->pods[1].facts->note_kernel();
  endpoint->pods[1].facts->note_kernel();
  EXPECT_EQ(chosen(), "jeg-0");
  EXPECT_EQ(chosen(1), "jeg-1") << "the first one was tried";
  EXPECT_EQ(chosen(3), "none");
  endpoint->pods[0].facts->set_cordoned(true);
  EXPECT_EQ(chosen(), "jeg-1");
  endpoint->pods[1].facts->set_healthy(false);
  EXPECT_EQ(chosen(), "none");
}

TEST_F(EndpointRegistryTest, AnOnlyPodIsAskedWhateverItsChecksSayUnlessItIsCordoned) {
  const routing::EndpointRef a = make("a");
  const EndpointPin pin = registry_.pin(a);
  pod_.facts->set_healthy(false);
  EXPECT_NE(pin->choose(), nullptr);
  pod_.facts->set_cordoned(true);
  EXPECT_EQ(pin->choose(), nullptr);
}

}  // namespace kg::upstream::local_endpoint_test
