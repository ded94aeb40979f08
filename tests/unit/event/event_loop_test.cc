#include "proxy/event/event_loop.h"

#include <gmock/gmock.h>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "loop_support.h"
#include "proxy/base/limits.h"

namespace kg::event::event_loop_test {

using testing::ElementsAre;

using Words = std::vector<std::string>;

struct Step final : Task {
  explicit Step(std::function<void()> work) : work_(std::move(work)) {}
  void run_task() override { work_(); }
  std::function<void()> work_;
};

struct Mortal final : Deferred {
  explicit Mortal(std::function<void()> last_words) : last_words_(std::move(last_words)) {}
  ~Mortal() override { last_words_(); }
  std::function<void()> last_words_;
};

TEST(EventLoop, PostedWorkRunsOnTheLoopThreadInTheOrderOfEachPoster) {
  constexpr size_t kPosters = 4;
  constexpr int kPosts = 500;
  EventLoop loop;
  std::array<std::vector<int>, kPosters> seen;
  size_t total = 0;
  bool elsewhere = false;
  std::vector<std::thread> posters;
  for (size_t poster = 0; poster < kPosters; ++poster) {
    posters.emplace_back([&, poster] {
      for (int i = 0; i < kPosts; ++i) {
        loop.post([&, poster, i] {
          elsewhere = elsewhere || !loop.in_loop_thread();
          seen[poster].push_back(i);
          ++total;
        });
      }
    });
  }
  EXPECT_TRUE(run_until(loop, [&] { return total == kPosters * kPosts; }));
  for (std::thread& poster : posters) poster.join();
  EXPECT_FALSE(elsewhere);
  for (const std::vector<int>& order : seen) {
    ASSERT_EQ(order.size(), static_cast<size_t>(kPosts));
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  }
}

TEST(EventLoop, WorkThatPostsAgainRunsInALaterTurn) {
  EventLoop loop;
  Words words;
  Step flush([&] { words.emplace_back("flush"); });
  loop.post([&] {
    words.emplace_back("first");
    loop.schedule_flush(flush);
    loop.post([&] {
      words.emplace_back("second");
      loop.stop();
    });
  });
  loop.run();
  EXPECT_THAT(words, ElementsAre("first", "flush", "second"));
}

TEST(EventLoop, StopsFromAnotherThread) {
  EventLoop loop;
  std::thread other([&] { loop.stop_from_any_thread(); });
  loop.run();
  other.join();
  EXPECT_TRUE(loop.in_loop_thread());
}

TEST(EventLoop, RunsOnWhateverThreadCallsRun) {
  EventLoop loop;
  std::thread other([&] { loop.run(); });
  bool inside = false;
  loop.post([&] {
    inside = loop.in_loop_thread();
    loop.stop();
  });
  other.join();
  EXPECT_TRUE(inside);
  EXPECT_FALSE(loop.in_loop_thread());
}

TEST(EventLoop, ATurnEndsWithReadersThenWritersThenTheDead) {
  EventLoop loop;
  Words words;
  Step flush([&] { words.emplace_back("flush"); });
  Step resume([&] {
    words.emplace_back("resume");
    loop.schedule_flush(flush);
  });
  loop.post([&] {
    loop.defer_delete(std::make_unique<Mortal>([&] { words.emplace_back("dead"); }));
    loop.schedule_resume(resume);
    words.emplace_back("dispatch");
    loop.stop();
  });
  loop.run();
  EXPECT_THAT(words, ElementsAre("dispatch", "resume", "flush", "dead"));
}

TEST(EventLoop, AReaderThatGoesOnWaitsForTheWriters) {
  EventLoop loop;
  Words words;
  Step flush([&] { words.emplace_back("flush"); });
  Step resume([&] {
    words.emplace_back("resume");
    loop.schedule_flush(flush);
    if (words.size() < 5) return loop.schedule_resume(resume);
    loop.stop();
  });
  loop.schedule_resume(resume);
  loop.run();
  EXPECT_THAT(words, ElementsAre("resume", "flush", "resume", "flush", "resume", "flush"));
}

TEST(EventLoop, WritersRunUntilNoneIsLeft) {
  EventLoop loop;
  int runs = 0;
  Step last([&] { runs += 100; });
  Step flush([&] {
    if (++runs < 3) return loop.schedule_flush(flush);
    loop.schedule_flush(last);
  });
  loop.schedule_flush(flush);
  loop.settle();
  EXPECT_EQ(runs, 103);
}

TEST(EventLoop, ATaskIsScheduledOnce) {
  EventLoop loop;
  int runs = 0;
  Step step([&] { ++runs; });
  EXPECT_FALSE(step.scheduled());
  loop.schedule_flush(step);
  loop.schedule_flush(step);
  EXPECT_TRUE(step.scheduled());
  loop.settle();
  EXPECT_FALSE(step.scheduled());
  loop.settle();
  EXPECT_EQ(runs, 1);
}

TEST(EventLoop, ADestroyedTaskDoesNotRun) {
  EventLoop loop;
  Words words;
  for (const char* victim : {"a", "b", "c"}) {
    words.clear();
    std::array<std::optional<Step>, 3> steps;
    const std::array<const char*, 3> names{"a", "b", "c"};
    for (size_t i = 0; i < steps.size(); ++i) {
      steps[i].emplace([&words, name = names[i]] { words.emplace_back(name); });
      loop.schedule_resume(*steps[i]);
    }
    for (size_t i = 0; i < steps.size(); ++i) {
      if (names[i] == std::string_view(victim)) steps[i].reset();
    }
    loop.settle();
    EXPECT_EQ(words.size(), 2U);
    EXPECT_THAT(words, testing::Not(testing::Contains(victim)));
    EXPECT_TRUE(std::is_sorted(words.begin(), words.end()));
  }
}

TEST(EventLoop, ARunningReaderMayDestroyTheNextOne) {
  EventLoop loop;
  Words words;
  std::optional<Step> second;
  Step first([&] {
    words.emplace_back("first");
    second.reset();
  });
  second.emplace([&] { words.emplace_back("second"); });
  Step third([&] { words.emplace_back("third"); });
  loop.schedule_resume(first);
  loop.schedule_resume(*second);
  loop.schedule_resume(third);
  loop.settle();
  EXPECT_THAT(words, ElementsAre("first", "third"));
}

TEST(EventLoop, TheDeadMayLeaveOthersToDie) {
  EventLoop loop;
  Words words;
  loop.defer_delete(std::make_unique<Mortal>([&] {
    words.emplace_back("parent");
    loop.defer_delete(std::make_unique<Mortal>([&] { words.emplace_back("child"); }));
  }));
  loop.defer_delete(nullptr);
  EXPECT_THAT(words, ElementsAre());
  loop.settle();
  EXPECT_THAT(words, ElementsAre("parent", "child"));
}

TEST(EventLoop, WhatWaitsDiesWithTheLoop) {
  bool ran = false;
  bool died = false;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  {
    EventLoop loop;
    loop.post([&ran, held = std::move(held)] { ran = true; });
    loop.defer_delete(std::make_unique<Mortal>([&] { died = true; }));
  }
  EXPECT_FALSE(ran);
  EXPECT_TRUE(died);
  EXPECT_TRUE(watch.expired());
}

TEST(EventLoop, TimeStandsStillDuringATurn) {
  EventLoop loop;
  std::vector<uint64_t> times;
  Step flush([&] { times.push_back(loop.now_us()); });
  const auto turn = [&] {
    times.push_back(loop.now_us());
    const uint64_t start = monotonic_us();
    while (monotonic_us() == start) continue;
    loop.schedule_flush(flush);
  };
  loop.post(turn);
  run_turns(loop, 1);
  loop.post(turn);
  run_turns(loop, 1);
  ASSERT_EQ(times.size(), 4U);
  EXPECT_EQ(times[0], times[1]);
  EXPECT_EQ(times[2], times[3]);
  EXPECT_LT(times[1], times[2]);
}

TEST(EventLoop, TellsOfASlowTurn) {
  EventLoop loop;
  std::vector<uint64_t> slow;
  loop.on_slow_turn([&](uint64_t us) { slow.push_back(us); });
  loop.post([&] { loop.now_us(); });
  run_turns(loop, 1);
  EXPECT_THAT(slow, ElementsAre());
  loop.post([&] {
    const uint64_t end = loop.now_us() + (limits::kTurnWarnMs + 5) * 1'000;
    while (monotonic_us() < end) continue;
  });
  run_turns(loop, 1);
  EXPECT_THAT(slow, ElementsAre(testing::Gt(limits::kTurnWarnMs * 1'000)));
}

}  // namespace kg::event::event_loop_test
