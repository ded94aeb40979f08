#include "proxy/websocket/pong_filter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kg::websocket::pong_filter_test {

using namespace std::string_literals;

std::string frame(int opcode, std::string_view payload, Masking masking, bool fin = true) {
  std::string out{static_cast<char>((fin ? 0x80 : 0) | opcode)};
  const bool masked = masking == Masking::kRandom;
  out += static_cast<char>((masked ? 0x80U : 0U) | payload.size());
  const std::string key = masked ? "\x11\x22\x33\x44"s : "\0\0\0\0"s;
  if (masked) out += key;
  for (size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ key[i % 4]);
  return out;
}

class PongFilterTest : public testing::TestWithParam<Masking> {
 protected:
  std::string ping() {
    const auto payload = filter_.next_ping();
    return {payload.data(), payload.size()};
  }
  std::string pong(std::string_view payload) { return frame(10, payload, GetParam()); }
  std::string text(std::string_view payload) { return frame(1, payload, GetParam()); }

  // What comes out of bytes that arrive in bursts of that size.
  std::string through(std::string_view bytes, size_t burst) {
    std::string out;
    for (size_t at = 0; at < bytes.size(); at += burst) {
      std::string_view rest = bytes.substr(at, burst);
      while (!rest.empty()) {
        const PongFilter::Step step = filter_.next(rest, scanner_);
        rest.remove_prefix(step.used);
        out += step.pass;
        newest_ += step.newest ? 1 : 0;
      }
    }
    return out;
  }

  PongFilter filter_{GetParam()};
  FrameScanner scanner_;
  int newest_ = 0;
};

TEST_P(PongFilterTest, OurPongIsTakenOutHoweverItIsSplit) {
  const size_t size = text("before").size() + pong("12345678").size() + text("after").size();
  for (size_t burst = 1; burst <= size; ++burst) {
    const std::string ours = pong(ping());
    EXPECT_FALSE(filter_.idle());
    EXPECT_EQ(through(text("before") + ours + text("after"), burst),
              text("before") + text("after"));
    EXPECT_TRUE(filter_.idle()) << "burst " << burst;
    EXPECT_TRUE(scanner_.between_messages());
    EXPECT_EQ(newest_, static_cast<int>(burst));
  }
  EXPECT_EQ(scanner_.messages(), 2 * size);
  EXPECT_EQ(scanner_.pongs(), 0U) << "the far end never sees it";
}

TEST_P(PongFilterTest, WhatOnlyResemblesItPasses) {
  const std::string payload = ping();
  std::string near = payload;
  near.back() = static_cast<char>(near.back() ^ 1);
  const Masking wrong = GetParam() == Masking::kNone ? Masking::kRandom : Masking::kNone;
  std::string reserved = pong(payload);
  reserved[0] = static_cast<char>(reserved[0] | 0x40);
  for (const std::string& odd :
       {pong(near), pong(""), pong("1234567"), pong(payload + "9"), frame(9, payload, GetParam()),
        frame(2, payload, GetParam()), frame(10, payload, GetParam(), false),
        frame(10, payload, wrong), reserved, text(pong(payload))}) {
    for (size_t burst = 1; burst <= odd.size(); ++burst) {
      EXPECT_EQ(through(odd, burst), odd);
      EXPECT_FALSE(filter_.idle()) << "still awaited";
    }
  }
  EXPECT_EQ(through(pong(payload), 3), "");
}

TEST_P(PongFilterTest, StandsBetweenFragments) {
  const std::string first = frame(1, "one ", GetParam(), false);
  const std::string last = frame(0, "two", GetParam());
  EXPECT_EQ(through(first + pong(ping()) + last, 5), first + last);
  EXPECT_EQ(scanner_.messages(), 1U);
}

TEST_P(PongFilterTest, AnAnswerSettlesOlderPings) {
  const std::string first = ping(), second = ping(), third = ping();
  EXPECT_EQ(through(pong(second), 99), "");
  EXPECT_EQ(newest_, 0) << "its time is not that of the newest";
  EXPECT_FALSE(filter_.idle());
  EXPECT_EQ(through(pong(first), 99), pong(first)) << "settled: not ours to take any more";
  EXPECT_EQ(through(pong(third), 99), "");
  EXPECT_EQ(newest_, 1);
  EXPECT_TRUE(filter_.idle());
}

TEST_P(PongFilterTest, APongThatNoPingAskedForPasses) {
  const std::string payload = ping();
  EXPECT_EQ(through(pong(payload), 99), "");
  ping();
  EXPECT_EQ(through(pong(payload), 99), pong(payload)) << "the same one twice";
}

TEST_P(PongFilterTest, HoldsOneControlFrameAtMostAndGivesItBack) {
  const std::string whole = pong(ping());
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    const std::string part = whole.substr(0, cut);
    EXPECT_EQ(through(part, 1), "");
    EXPECT_TRUE(scanner_.at_boundary()) << "the far end saw nothing of it";
    EXPECT_EQ(filter_.take_held(), part);
  }
}

TEST_P(PongFilterTest, TakesNothingWhereFramesAreLost) {
  const std::string ours = pong(ping());
  const std::string lost = "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"s;
  EXPECT_EQ(through(lost, 4), lost);
  ASSERT_TRUE(scanner_.lost());
  EXPECT_EQ(through(ours, 3), ours);
}

TEST_P(PongFilterTest, KeepsATooLargeMessageBackWhole) {
  ping();
  scanner_.limit_message(5);
  const std::string small = text("12345"), large = text("123456");
  const std::string bytes = small + large;
  const PongFilter::Step first = filter_.next(bytes, scanner_);
  EXPECT_EQ(first.pass, small);
  const PongFilter::Step second =
      filter_.next(std::string_view(bytes).substr(first.used), scanner_);
  EXPECT_EQ(second.used, 0U);
  EXPECT_TRUE(scanner_.too_large());
  EXPECT_TRUE(scanner_.at_boundary());
}

INSTANTIATE_TEST_SUITE_P(Both, PongFilterTest, testing::Values(Masking::kNone, Masking::kRandom));

}  // namespace kg::websocket::pong_filter_test
