#include "proxy/exchange/launch_desk.h"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/event/loop_support.h"

namespace kg::exchange::launch_desk_test {

using Kind = LaunchGate::Word::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

struct Asker final : LaunchWaiter {
  void on_launch_word(Kind kind, const LaunchAnswerRef& told) override {
    words.push_back(kind);
    answer = told;
    if (then) then();
  }
  LaunchTicket ticket;
  std::vector<Kind> words;
  LaunchAnswerRef answer;
  std::function<void()> then;
};

routing::Endpoint endpoint(const std::string& id, uint32_t most) {
  routing::Endpoint made;
  made.id = id;
  made.launches_max = most;
  return made;
}

class LaunchDeskTest : public testing::Test {
 protected:
  LaunchDeskTest() { desk_.add_seat(loop_, metrics_); }
  void ask(Asker& asker, const std::string& key = "") {
    asker.ticket = desk_.ask(0, asker, endpoint_, 7, key);
    event::run_turns(loop_);
  }
  uint64_t running() const { return metrics_.endpoint(0).launches_running.get(); }
  uint64_t waiting() const { return metrics_.endpoint(0).launches_waiting.get(); }

  event::EventLoop loop_;
  metrics::WorkerMetrics metrics_{1};
  LaunchDesk desk_;
  routing::Endpoint endpoint_ = endpoint("ep", 1);
};

TEST_F(LaunchDeskTest, GivesTurnsAndShowsThem) {
  Asker first, second;
  ask(first);
  ask(second);
  EXPECT_THAT(first.words, ElementsAre(Kind::kTurn));
  EXPECT_THAT(second.words, IsEmpty());
  EXPECT_EQ(running(), 1U);
  EXPECT_EQ(waiting(), 1U);
  first.ticket.answered(std::make_shared<LaunchAnswer>());
  EXPECT_FALSE(first.ticket.held());
  event::run_turns(loop_);
  EXPECT_THAT(second.words, ElementsAre(Kind::kTurn));
  second.ticket.leave();
  event::run_turns(loop_);
  EXPECT_EQ(running() + waiting(), 0U);
}

TEST_F(LaunchDeskTest, EndpointsDoNotWaitForEachOther) {
  Asker first, second;
  ask(first);
  endpoint_.virtual_cluster = "another";
  ask(second);
  EXPECT_THAT(second.words, ElementsAre(Kind::kTurn));
}

TEST_F(LaunchDeskTest, WhoeverIsGoneIsToldNothing) {
  auto first = std::make_unique<Asker>();
  Asker second;
  first->ticket = desk_.ask(0, *first, endpoint_, 7, "");
  first.reset();  // its turn is on the way
  ask(second);
  EXPECT_THAT(second.words, ElementsAre(Kind::kTurn));
  EXPECT_EQ(running(), 1U);
}

TEST_F(LaunchDeskTest, ATicketThatMovedToAnotherTellsThatOne) {
  Asker client, again;
  ask(client, "key");
  Asker follower;
  follower.ticket = std::move(client.ticket);
  follower.ticket.belong_to(follower);
  ask(again, "key");
  const auto answer = std::make_shared<LaunchAnswer>();
  follower.ticket.unclaimed(answer);
  event::run_turns(loop_);
  EXPECT_THAT(client.words, ElementsAre(Kind::kTurn));
  EXPECT_THAT(follower.words, ElementsAre(Kind::kKept));
  EXPECT_THAT(again.words, ElementsAre(Kind::kAnswered));
  EXPECT_EQ(again.answer, answer);
}

TEST_F(LaunchDeskTest, ALostStartGetsNewIdsNextTime) {
  Asker first, second;
  ask(first, "key");
  first.ticket.lost(std::make_shared<LaunchAnswer>(), loop_.now_us() + 60'000'000);
  ask(second, "key");
  EXPECT_THAT(second.words, ElementsAre(Kind::kNewTurn));
}

// Workers that ask for one endpoint meet at its home, and never exceed its bound together.
TEST(LaunchDesk, WorkersShareOneBound) {
  constexpr size_t kWorkers = 2;
  constexpr int kStarts = 100;
  struct Worker {
    event::EventLoop loop;
    metrics::WorkerMetrics metrics{1};
    std::vector<std::unique_ptr<Asker>> askers;  // its thread only
    std::thread thread;
  };
  std::vector<Worker> workers(kWorkers);
  LaunchDesk desk;
  for (Worker& worker : workers) desk.add_seat(worker.loop, worker.metrics);
  const routing::Endpoint shared = endpoint("ep", 3);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  for (size_t w = 0; w < kWorkers; ++w) {
    Worker& worker = workers[w];
    worker.loop.post([&, w] {
      for (int i = 0; i < kStarts; ++i) {
        worker.askers.push_back(std::make_unique<Asker>());
        Asker& asker = *worker.askers.back();
        asker.then = [&, w] {
          const int now = ++running;
          int seen = most;
          while (seen < now && !most.compare_exchange_weak(seen, now)) {
          }
          workers[w].loop.post([&] {
            --running;
            ++done;
            asker.ticket.answered(std::make_shared<LaunchAnswer>());
          });
        };
        asker.ticket = desk.ask(w, asker, shared, w, "");
      }
    });
  }
  for (Worker& worker : workers) {
    worker.thread = std::thread([&worker] { worker.loop.run(); });
  }
  event::EventLoop own;
  EXPECT_TRUE(event::run_until(own, [&] { return done == kStarts * static_cast<int>(kWorkers); }));
  for (Worker& worker : workers) {
    worker.loop.stop_from_any_thread();
    worker.thread.join();
  }
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 2);
}

}  // namespace kg::exchange::launch_desk_test
