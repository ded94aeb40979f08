#include "proxy/event/watcher.h"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "loop_support.h"
#include "proxy/event/socket.h"

namespace kg::event::watcher_test {

// Runs the loop for `milliseconds` of its own time.
void run_for(EventLoop& loop, uint64_t milliseconds) {
  Timer end(loop, [&] { loop.stop(); });
  end.arm_ms(milliseconds);
  loop.run();
}

class DeadlineTest : public testing::Test {
 protected:
  EventLoop loop_;
  int passed_ = 0;
  uint64_t passed_us_ = 0;
  Deadline deadline_{loop_, [this] {
                       ++passed_;
                       passed_us_ = monotonic_us();
                     }};
  const uint64_t start_us_ = loop_.now_us();
};

TEST_F(DeadlineTest, PassesOnceAndNotEarly) {
  EXPECT_FALSE(deadline_.is_set());
  deadline_.set_ms(15);
  EXPECT_TRUE(deadline_.is_set());
  EXPECT_TRUE(run_until(loop_, [&] { return passed_ > 0; }));
  EXPECT_GE(passed_us_ - start_us_, 15'000U);
  EXPECT_FALSE(deadline_.is_set());
  run_for(loop_, 30);
  EXPECT_EQ(passed_, 1);
}

TEST_F(DeadlineTest, MovesLater) {
  deadline_.set_ms(5);
  deadline_.set_ms(40);
  EXPECT_TRUE(run_until(loop_, [&] { return passed_ > 0; }));
  EXPECT_GE(passed_us_ - start_us_, 40'000U);
  run_for(loop_, 10);
  EXPECT_EQ(passed_, 1);
}

TEST_F(DeadlineTest, MovesEarlier) {
  deadline_.set_ms(60'000);
  deadline_.set_ms(10);
  EXPECT_TRUE(run_until(loop_, [&] { return passed_ > 0; }));
  EXPECT_GE(passed_us_ - start_us_, 10'000U);
  EXPECT_FALSE(deadline_.is_set());
}

TEST_F(DeadlineTest, MovesLaterAgainAndAgain) {
  deadline_.set_ms(10);
  int moves = 0;
  Timer mover(loop_, [&] {
    deadline_.set_ms(20);
    if (++moves < 10) mover.arm_ms(3);
  });
  mover.arm_ms(3);
  EXPECT_TRUE(run_until(loop_, [&] { return passed_ > 0; }));
  EXPECT_EQ(moves, 10) << "passed while it was being moved";
  EXPECT_EQ(passed_, 1);
}

TEST_F(DeadlineTest, ClearedItDoesNotPass) {
  deadline_.set_ms(5);
  deadline_.clear();
  EXPECT_FALSE(deadline_.is_set());
  run_for(loop_, 25);
  EXPECT_EQ(passed_, 0);
}

TEST_F(DeadlineTest, ClearedItMayBeSetAgain) {
  deadline_.set_ms(5);
  deadline_.clear();
  deadline_.set_ms(30);
  EXPECT_TRUE(run_until(loop_, [&] { return passed_ > 0; }));
  EXPECT_GE(passed_us_ - start_us_, 30'000U);

  deadline_.set_ms(60'000);
  deadline_.clear();
  deadline_.set_ms(5);
  EXPECT_TRUE(run_until(loop_, [&] { return passed_ > 1; }));
}

TEST(Deadline, MayBeSetAgainWhenItPasses) {
  EventLoop loop;
  int passed = 0;
  Deadline deadline(loop, [&] {
    if (++passed < 3) deadline.set_ms(2);
  });
  deadline.set_ms(2);
  EXPECT_TRUE(run_until(loop, [&] { return passed == 3; }));
  run_for(loop, 10);
  EXPECT_EQ(passed, 3);
}

TEST(Deadline, ZeroPassesInALaterTurn) {
  EventLoop loop;
  bool passed = false;
  Deadline deadline(loop, [&] { passed = true; });
  deadline.set_ms(0);
  EXPECT_FALSE(passed);
  EXPECT_TRUE(run_until(loop, [&] { return passed; }));
}

TEST(Deadline, DestroyedItDoesNotCallBack) {
  EventLoop loop;
  bool passed = false;
  std::optional<Deadline> deadline;
  deadline.emplace(loop, [&] { passed = true; });
  deadline->set_ms(3);
  deadline.reset();
  run_for(loop, 15);
  EXPECT_FALSE(passed);
}

TEST(Timer, FiresOncePerArming) {
  EventLoop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.arm_ms(60'000);
  timer.arm_ms(1);  // instead of the first
  EXPECT_TRUE(run_until(loop, [&] { return fired > 0; }));
  timer.arm_ms(1);
  timer.disarm();
  run_for(loop, 15);
  EXPECT_EQ(fired, 1);
}

TEST(ListenWatcher, TellsUntilEverythingIsTakenAndRestsWhilePaused) {
  EventLoop loop;
  std::array<int, 2> pair{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
  const Socket ours(pair[0]);
  const Socket peer(pair[1]);
  int told = 0;
  bool take = false;
  ListenWatcher watcher(loop, ours.fd(), [&] {
    ++told;
    char byte = 0;
    if (take && recv(ours.fd(), &byte, 1, 0) != 1) FAIL();
  });
  watcher.pause();
  ASSERT_EQ(send(peer.fd(), "x", 1, 0), 1);
  run_turns(loop);
  EXPECT_EQ(told, 0);
  watcher.resume();
  EXPECT_TRUE(run_until(loop, [&] { return told >= 2; }));
  take = true;
  run_turns(loop);
  const int after = told;
  run_turns(loop);
  EXPECT_EQ(told, after);
}

}  // namespace kg::event::watcher_test
