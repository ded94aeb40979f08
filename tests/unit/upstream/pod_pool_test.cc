#include "proxy/upstream/pod_pool.h"

#include <gmock/gmock.h>

#include <deque>

#include "gateway_script.h"
#include "proxy/base/limits.h"

namespace kg::upstream::pod_pool_test {

using testing::ElementsAre;

class PodPoolTest : public GatewayTest {
 protected:
  // Leases everything that may be in flight, without an answer.
  void fill() {
    gateway_.answer.clear();
    for (uint32_t i = 0; i < limits::kUpstreamActivePerPodMax; ++i) {
      Caller& caller = busy_.emplace_back(pool_);
      ASSERT_TRUE(caller.ask());
      ASSERT_FALSE(caller.queued) << i;
    }
  }
  Caller& queue_one(std::vector<int>& served, int name) {
    Caller& caller = waiting_.emplace_back(pool_);
    caller.on_served = [&served, name] { served.push_back(name); };
    EXPECT_TRUE(caller.ask());
    EXPECT_TRUE(caller.queued);
    return caller;
  }
  // Whoever holds a lease gives it back before the pool dies.
  void TearDown() override {
    for (Caller& caller : waiting_) pool_.cancel(caller);
    for (std::deque<Caller>* callers : {&busy_, &waiting_}) {
      for (Caller& caller : *callers) {
        if (caller.connection != nullptr) caller.give_back(/*healthy=*/false);
      }
    }
  }
  std::deque<Caller> busy_;
  std::deque<Caller> waiting_;
};

TEST_F(PodPoolTest, AConnectionServesOneExchangeAfterAnother) {
  for (int i = 0; i < 3; ++i) exchange();
  EXPECT_EQ(gateway_.peers.size(), 1U);
  EXPECT_EQ(opened(), 1U);
  EXPECT_EQ(reused(), 2U);
  EXPECT_EQ(open_now(), 1U);
}

TEST_F(PodPoolTest, AConnectionKnowsThatItWasUsed) {
  Caller first(pool_);
  ASSERT_TRUE(first.ask());
  EXPECT_FALSE(first.reused);
  ASSERT_TRUE(run_until([&] { return first.done; }));
  EXPECT_EQ(first.body, "ok");
  Caller second(pool_);
  ASSERT_TRUE(second.ask());
  EXPECT_TRUE(second.reused);
  EXPECT_TRUE(run_until([&] { return second.done; }));
}

TEST_F(PodPoolTest, ExchangesAtTheSameTimeHaveTheirOwnConnections) {
  Caller first(pool_);
  Caller second(pool_);
  ASSERT_TRUE(first.ask());
  ASSERT_TRUE(second.ask());
  EXPECT_NE(first.connection, second.connection);
  EXPECT_TRUE(run_until([&] { return first.done && second.done; }));
  EXPECT_EQ(gateway_.peers.size(), 2U);
  exchange();
  EXPECT_EQ(opened(), 2U);
}

TEST_F(PodPoolTest, FreshMeansFresh) {
  exchange();
  exchange(LeaseKind::kFresh);
  EXPECT_EQ(opened(), 2U);
  EXPECT_EQ(reused(), 0U);
}

TEST_F(PodPoolTest, WhatTheGatewayEndsIsNotUsedAgain) {
  gateway_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  exchange();
  run_turns();
  EXPECT_EQ(open_now(), 0U);
  exchange();
  EXPECT_EQ(reused(), 0U);
}

TEST_F(PodPoolTest, BytesBeyondTheAnswerSpoilAConnection) {
  gateway_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n";
  exchange();
  gateway_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore";
  exchange();
  EXPECT_EQ(reused(), 0U);
  EXPECT_EQ(open_now(), 0U);
}

TEST_F(PodPoolTest, BytesThatComeUnaskedSpoilAConnection) {
  exchange();
  gateway_.say(0, "HTTP/1.1 408 Request Timeout\r\n\r\n");
  run_turns();
  EXPECT_EQ(open_now(), 0U);
  exchange();
  EXPECT_EQ(reused(), 0U);
}

TEST_F(PodPoolTest, AnUnhealthyLeaseIsNotUsedAgain) {
  Caller caller(pool_);
  caller.releases = false;
  ASSERT_TRUE(caller.ask());
  ASSERT_TRUE(run_until([&] { return caller.done; }));
  caller.give_back(/*healthy=*/false);
  exchange();
  EXPECT_EQ(reused(), 0U);
  EXPECT_EQ(open_now(), 1U);
}

TEST_F(PodPoolTest, ALeaseGivenBackBeforeItsAnswerIsNotUsedAgain) {
  gateway_.answer.clear();
  Caller caller(pool_);
  ASSERT_TRUE(caller.ask());
  run_turns();
  caller.give_back();
  EXPECT_EQ(open_now(), 0U);
  run_turns();
  EXPECT_FALSE(caller.error) << "told after its lease";
  EXPECT_TRUE(gateway_.peers.at(0)->ended);
}

TEST_F(PodPoolTest, AnIdleConnectionThatThePeerClosedIsForgotten) {
  exchange();
  gateway_.hang_up(0);
  EXPECT_TRUE(run_until([&] { return open_now() == 0; }));
  exchange();
  EXPECT_EQ(opened(), 2U);
  EXPECT_EQ(reused(), 0U);
}

TEST_F(PodPoolTest, CheckedSkipsWhatThePeerClosedUnseen) {
  exchange();
  gateway_.hang_up(0);  // and the loop has not run since
  exchange(LeaseKind::kChecked);
  EXPECT_EQ(opened(), 2U);
  EXPECT_EQ(reused(), 0U);
  exchange(LeaseKind::kChecked);
  EXPECT_EQ(reused(), 1U) << "an open one is good enough";
}

TEST_F(PodPoolTest, AnyMayMeetAClosedOne) {
  exchange();
  gateway_.hang_up(0);
  Caller caller(pool_);
  ASSERT_TRUE(caller.ask(LeaseKind::kAny));
  EXPECT_TRUE(caller.reused);
  EXPECT_TRUE(run_until([&] { return caller.error.has_value(); }));
  EXPECT_EQ(caller.error, ErrorCode::kUpstreamReset);
}

TEST_F(PodPoolTest, KeepsSoManyIdleConnectionsAndNoMore) {
  for (uint32_t i = 0; i < limits::kUpstreamIdlePerPodMax + 3; ++i) {
    ASSERT_TRUE(busy_.emplace_back(pool_).ask());
  }
  const auto all_done = [&] {
    return std::all_of(busy_.begin(), busy_.end(),
                       [](const Caller& caller) { return caller.done; });
  };
  EXPECT_TRUE(run_until(all_done));
  EXPECT_EQ(open_now(), limits::kUpstreamIdlePerPodMax);
  pool_.close_idle();
  EXPECT_EQ(open_now(), 0U);
  exchange();
  EXPECT_EQ(reused(), 0U);
}

TEST_F(PodPoolTest, TheQueueIsServedInOrder) {
  fill();
  std::vector<int> served;
  for (int name = 0; name < 4; ++name) queue_one(served, name);
  EXPECT_THAT(served, ElementsAre());
  busy_[10].give_back(false);
  EXPECT_THAT(served, ElementsAre(0));
  busy_[5].give_back(false);
  busy_[6].give_back(false);
  EXPECT_THAT(served, ElementsAre(0, 1, 2));
  EXPECT_TRUE(waiting_[3].queued);
  waiting_[0].give_back(false);
  EXPECT_THAT(served, ElementsAre(0, 1, 2, 3));
  std::vector<int> late;
  queue_one(late, 9);
  EXPECT_THAT(late, ElementsAre()) << "those who were served count";
}

TEST_F(PodPoolTest, WhoLeftTheQueueIsNotServed) {
  fill();
  std::vector<int> served;
  for (int name = 0; name < 3; ++name) queue_one(served, name);
  pool_.cancel(waiting_[1]);
  pool_.cancel(waiting_[1]);
  pool_.cancel(busy_[0]);  // never waited
  for (size_t i = 0; i < 3; ++i) busy_[i].give_back(false);
  EXPECT_THAT(served, ElementsAre(0, 2));
}

TEST_F(PodPoolTest, TheQueueIsBounded) {
  fill();
  std::vector<int> served;
  for (uint32_t i = 0; i < limits::kUpstreamQueuePerPodMax; ++i) queue_one(served, 0);
  Caller refused(pool_);
  EXPECT_FALSE(refused.ask());
  EXPECT_EQ(refused.lease_error, ErrorCode::kUpstreamBusy);
  pool_.cancel(waiting_.back());
  EXPECT_TRUE(refused.ask());
  EXPECT_TRUE(refused.queued);
  pool_.cancel(refused);
}

TEST_F(PodPoolTest, BoundsAreThePodsOwnAndWhatTheyDoIsCounted) {
  pod_.limits.active_max = 2;
  pod_.limits.queue_max = 1;
  gateway_.answer.clear();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(busy_.emplace_back(pool_).ask());
  std::vector<int> served;
  queue_one(served, 1);
  EXPECT_EQ(counters_.upstream_active.get(), 2U);
  EXPECT_EQ(counters_.upstream_queued.get(), 1U);
  Caller refused(pool_);
  EXPECT_FALSE(refused.ask());
  EXPECT_EQ(counters_.upstream_refused.get(), 1U);
  busy_[0].give_back(false);
  EXPECT_EQ(counters_.upstream_active.get(), 2U);
  EXPECT_EQ(counters_.upstream_queued.get(), 0U);
  queue_one(served, 2);
  pool_.cancel(waiting_.back());
  EXPECT_EQ(counters_.upstream_queued.get(), 0U);
  busy_[1].give_back(false);
  waiting_[0].give_back(false);
  EXPECT_EQ(counters_.upstream_active.get(), 0U);
  EXPECT_EQ(counters_.upstream_refused.get(), 1U);
}

TEST_F(PodPoolTest, AQueueMayHaveNoPlace) {
  pod_.limits.active_max = 1;
  pod_.limits.queue_max = 0;
  gateway_.answer.clear();
  ASSERT_TRUE(busy_.emplace_back(pool_).ask());
  Caller refused(pool_);
  EXPECT_FALSE(refused.ask());
  EXPECT_EQ(refused.lease_error, ErrorCode::kUpstreamBusy);
}

TEST_F(PodPoolTest, AnIdleConnectionEndsAfterItsTime) {
  pod_.limits.idle_ms = 20;
  exchange();
  EXPECT_EQ(open_now(), 1U);
  EXPECT_TRUE(run_until([&] { return open_now() == 0; }));
}

TEST_F(PodPoolTest, AnOpenWebSocketLeavesItsPlaceToTheNext) {
  fill();
  std::vector<int> served;
  queue_one(served, 1);
  pool_.stop_counting(*busy_[0].connection);
  EXPECT_THAT(served, ElementsAre(1));
  queue_one(served, 2);
  pool_.stop_counting(*busy_[0].connection);
  busy_[0].give_back();
  EXPECT_THAT(served, ElementsAre(1)) << "it gave its place away once";
  pool_.cancel(waiting_[1]);
}

TEST_F(PodPoolTest, ErrorsGiveTheirPlaceBack) {
  gateway_.answer.clear();
  for (int i = 0; i < 3; ++i) {
    Caller caller(pool_);
    ASSERT_TRUE(caller.ask());
    const auto arrived = [&] { return gateway_.peers.size() > static_cast<size_t>(i); };
    ASSERT_TRUE(run_until(arrived));
    gateway_.hang_up(static_cast<size_t>(i));
    EXPECT_TRUE(run_until([&] { return caller.error.has_value(); }));
  }
  run_turns();
  EXPECT_EQ(open_now(), 0U);
  fill();
}

TEST_F(PodPoolTest, APodThatEndsAllItsConnectionsMayHaveRestarted) {
  Caller kept(pool_);
  kept.releases = false;
  ASSERT_TRUE(kept.ask());
  ASSERT_TRUE(run_until([&] { return kept.done; }));
  exchange(LeaseKind::kFresh);
  gateway_.hang_up(1);
  ASSERT_TRUE(run_until([&] { return open_now() == 1; }));
  EXPECT_EQ(pod_.facts->restarts(), 0U) << "it has another one";
  kept.give_back();  // an answer since
  pool_.close_idle();
  EXPECT_EQ(pod_.facts->restarts(), 0U) << "the last one ended by our own will";
  exchange();
  gateway_.hang_up(2);
  ASSERT_TRUE(run_until([&] { return open_now() == 0; }));
  EXPECT_EQ(pod_.facts->restarts(), 1U);
}

TEST_F(PodPoolTest, ARestartIsSuspectedOnceForAllConnectionsThatItEnds) {
  std::deque<Caller> callers;
  gateway_.answer.clear();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(callers.emplace_back(pool_).ask());
  ASSERT_TRUE(run_until([&] { return gateway_.peers.size() == 3; }));
  gateway_.hang_up(0);
  ASSERT_TRUE(run_until([&] { return callers[0].error.has_value(); }));
  EXPECT_EQ(pod_.facts->restarts(), 0U);
  gateway_.hang_up(1);
  gateway_.hang_up(2);
  ASSERT_TRUE(run_until([&] { return callers[1].error && callers[2].error; }));
  EXPECT_EQ(pod_.facts->restarts(), 1U);
}

TEST_F(PodPoolTest, OurOwnClosingIsNoRestart) {
  exchange();
  pool_.close_idle();
  EXPECT_EQ(open_now(), 0U);
  EXPECT_EQ(pod_.facts->restarts(), 0U);
}

TEST_F(PodPoolTest, ARefusedConnectionMayBeARestart) {
  {
    const event::Socket closes = event::listen_anywhere();
    pod_.address = closes.local_address();
  }
  for (int i = 0; i < 3; ++i) {
    Caller caller(pool_);
    if (!caller.ask()) continue;
    EXPECT_TRUE(run_until([&] { return caller.error.has_value(); }));
  }
  EXPECT_EQ(pod_.facts->restarts(), 1U) << "one event";
}

}  // namespace kg::upstream::pod_pool_test
