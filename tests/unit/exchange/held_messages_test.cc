// What a client said and no gateway took whole, and what of it is said again.
#include "proxy/exchange/held_messages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "proxy/base/limits.h"
#include "proxy/websocket/frame_scanner.h"
#include "relay_fixture.h"

namespace kg::exchange::held_messages_test {

// A connection whose system takes bytes when the test says so.
class Held : public testing::Test {
 protected:
  // As the relay does it.
  void say(std::string_view bytes) {
    frames_.scan(bytes);
    const uint64_t open = frames_.open_bytes();
    if (cut_ || held_.waiting() > 0) return held_.wait(bytes, open);
    held_.given(bytes, open, unsent_.size());
    unsent_.append(bytes);
  }
  void take(size_t bytes) { unsent_.erase(0, bytes); }
  void take_all() { unsent_.clear(); }
  bool lose() {
    cut_ = true;
    const std::string untaken = std::exchange(unsent_, {});
    return held_.lost(untaken);
  }
  std::string rest() {
    std::string out;
    while (held_.waiting() > 0) out.append(held_.next(7));
    return out;
  }

  HeldMessages held_;
  websocket::FrameScanner frames_;
  std::string unsent_;
  bool cut_ = false;
};

const std::string kOne = from_client("one");
const std::string kTwo = from_client("two");

TEST_F(Held, UsualTrafficIsNotCopied) {
  for (int i = 0; i < 3; ++i) {
    say(kOne + kTwo);
    EXPECT_EQ(held_.size(), 0U);
    take_all();
  }
  EXPECT_TRUE(lose());
  EXPECT_EQ(rest(), "");
}

TEST_F(Held, ABurstOfWhichNothingWasTakenIsSaidAgain) {
  say(kOne);
  take_all();
  say(kTwo);
  say(kOne);
  EXPECT_TRUE(lose());
  EXPECT_EQ(rest(), kTwo + kOne);
}

TEST_F(Held, AMessageThatWasTakenWholeIsNeverSaidAgain) {
  say(kOne.substr(0, 4));
  take_all();
  say(kOne.substr(4) + kTwo);
  take(kOne.size() - 4);
  EXPECT_TRUE(lose());
  EXPECT_EQ(rest(), kTwo);
}

TEST_F(Held, AMessageOfWhichOneByteIsMissingIsSaidAgainWhole) {
  say(kOne.substr(0, 4));
  take_all();
  say(kOne.substr(4));
  take(kOne.size() - 4 - 1);
  EXPECT_TRUE(lose());
  EXPECT_EQ(rest(), kOne);
}

TEST_F(Held, WhatIsNotHeldWholeIsNotRepaired) {
  say(kOne + kTwo);  // one burst, not copied
  take(3);
  EXPECT_FALSE(lose());
}

TEST_F(Held, WhatCannotBeToldIsNotRepaired) {
  say(kOne);
  EXPECT_FALSE(held_.lost(std::nullopt));
}

TEST_F(Held, AMessageThatRunsIsHeldUpToItsBound) {
  const std::string head = "\x82\xff" + std::string(8, '\x01') + "mask";  // of an endless frame
  say(head);
  std::string said = head;
  while (said.size() + 1024 <= limits::kResendBytesMax) {
    take_all();
    const std::string piece(1024, 'x');
    say(piece);
    said += piece;
  }
  EXPECT_EQ(held_.size(), said.size());
  take_all();
  HeldMessages before = std::move(held_);
  EXPECT_TRUE(before.lost(""));
  EXPECT_EQ(before.waiting(), said.size());
}

TEST_F(Held, ALargerOneIsNotHeldAndTheNextIsAgain) {
  std::string large = "\x82\xff" + std::string(5, '\0') + std::string("\x20\0\0", 3) + "mask";
  large.append(size_t{2} << 20, 'x');
  say(large.substr(0, large.size() - 5));
  EXPECT_EQ(held_.size(), 0U);
  take_all();
  say(large.substr(large.size() - 5) + kOne + kTwo.substr(0, 2));
  take_all();
  EXPECT_TRUE(lose());
  say(kTwo.substr(2));
  EXPECT_EQ(rest(), kTwo);
}

TEST_F(Held, ALargerOneThatIsCutIsNotRepaired) {
  std::string large = "\x82\xff" + std::string(5, '\0') + std::string("\x20\0\0", 3) + "mask";
  say(large + std::string(limits::kResendBytesMax, 'x'));
  take_all();
  EXPECT_FALSE(lose());
}

TEST_F(Held, CopiesAreLetGoOfOnceAllIsTaken) {
  say(kOne.substr(0, 4));
  take_all();
  say(kOne.substr(4));
  EXPECT_EQ(held_.size(), kOne.size());
  take_all();
  held_.all_taken();
  EXPECT_EQ(held_.size(), 0U);
}

TEST_F(Held, WhatIsSaidInAGapComesBehindWhatIsSaidAgain) {
  say(kOne.substr(0, 4));
  EXPECT_TRUE(lose());
  say(kOne.substr(4) + kTwo);
  EXPECT_EQ(held_.waiting(), kOne.size() + kTwo.size());
  EXPECT_EQ(rest(), kOne + kTwo);
}

TEST_F(Held, ASecondLossWhileItIsSaidAgainLosesAndDoublesNothing) {
  EXPECT_TRUE(lose());
  say(kOne + kTwo + kOne);
  const std::string given(held_.next(kOne.size() + 3));
  unsent_ = given.substr(kOne.size());  // the first was taken
  EXPECT_TRUE(lose());
  EXPECT_EQ(rest(), kTwo + kOne);
}

// Whatever is said in whatever pieces, and wherever connections break: each message reaches some
// gateway's system whole once, in order, unless a loss says that it cannot be repaired.
TEST(HeldAtRandom, NothingIsLostOrDoubled) {
  std::mt19937 random(7);
  const auto up_to = [&](size_t most) { return random() % (most + 1); };
  size_t repaired = 0;
  for (int round = 0; round < 3'000; ++round) {
    HeldMessages held;
    websocket::FrameScanner frames;
    std::string all;
    std::vector<std::string> messages;
    for (size_t i = 0; i < 12; ++i) {
      messages.push_back(from_client(std::string(up_to(40), 'a' + static_cast<char>(i))));
      all += messages.back();
    }
    std::string wire;    // what the present gateway's system took
    std::string unsent;  // given to it, not taken
    std::vector<std::string> arrived;
    const auto harvest = [&] {  // whole messages that this gateway has
      websocket::FrameScanner scanner;
      while (!wire.empty()) {
        const size_t used = scanner.scan_frame(wire);
        if (!scanner.at_boundary()) break;
        arrived.push_back(wire.substr(0, used));
        wire.erase(0, used);
      }
      wire.clear();  // what is cut dies with the connection
    };
    bool hopeless = false;
    for (size_t at = 0; at < all.size() && !hopeless;) {
      const std::string piece = all.substr(at, 1 + up_to(30));
      at += piece.size();
      frames.scan(piece);
      const uint64_t open = frames.open_bytes();
      if (held.waiting() > 0) {
        held.wait(piece, open);
      } else {
        held.given(piece, open, unsent.size());
        unsent += piece;
      }
      if (up_to(2) == 0) unsent.append(held.next(up_to(50)));
      const size_t taken = up_to(1) == 0 ? unsent.size() : up_to(unsent.size());
      wire += unsent.substr(0, taken);
      unsent.erase(0, taken);
      if (up_to(5) != 0) continue;
      harvest();
      hopeless = !held.lost(unsent);
      unsent.clear();
      ++repaired;
    }
    if (hopeless) continue;
    while (held.waiting() > 0) unsent.append(held.next(up_to(50)));
    wire += unsent;
    harvest();
    ASSERT_EQ(arrived, messages) << round;
  }
  EXPECT_GT(repaired, 1'000U);
}

}  // namespace kg::exchange::held_messages_test
