#include "proxy/upstream/reloads.h"

#include <gtest/gtest.h>

#include "gateway_script.h"
#include "proxy/base/limits.h"

namespace kg::upstream::reloads_test {

std::vector<std::string> ids(size_t count) {
  std::vector<std::string> made;
  for (size_t i = 0; i < count; ++i) made.push_back("a-b-c-d-" + std::to_string(i));
  return made;
}

class ReloadsTest : public GatewayTest, public ReloadsOwner {
 protected:
  void on_reloaded(const Result<void>& all) override {
    ++told_;
    code_ = all ? ErrorCode::kNone : all.error().code;
  }
  static std::string answer_with(const std::string& status) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n\r\n{}";
  }
  uint64_t asked() const { return counters_.kernel_revivals.get(); }

  routing::Endpoint endpoint_;
  Revivals revivals_{loop_, pool_, counters_, endpoint_, pod_};
  Reloads reloads_{revivals_, *this};
  int told_ = 0;
  ErrorCode code_ = ErrorCode::kInternal;
};

TEST_F(ReloadsTest, AsksForEachAndForFewAtATime) {
  gateway_.answer = "";
  reloads_.want(ids(50));
  EXPECT_TRUE(reloads_.pending());
  ASSERT_TRUE(reloads_.begin().has_value());
  ASSERT_TRUE(run_until([&] { return gateway_.peers.size() >= limits::kRevivalsAtATime; }));
  run_turns();
  EXPECT_EQ(asked(), limits::kRevivalsAtATime);
  gateway_.answer = answer_with("200 OK");
  ASSERT_TRUE(run_until([&] { return told_ == 1; }));
  EXPECT_EQ(code_, ErrorCode::kNone);
  EXPECT_EQ(asked(), 50U);
  EXPECT_FALSE(reloads_.pending());
}

TEST_F(ReloadsTest, WhatHasEndedIsNoFailure) {
  gateway_.answer = answer_with("404 Not Found");
  reloads_.want(ids(3));
  ASSERT_TRUE(reloads_.begin().has_value());
  ASSERT_TRUE(run_until([&] { return told_ == 1; }));
  EXPECT_EQ(code_, ErrorCode::kNone);
  EXPECT_FALSE(reloads_.pending());
}

TEST_F(ReloadsTest, AFailureEndsItAndTheRestIsWantedStill) {
  gateway_.answer = answer_with("500 Oh");
  reloads_.want(ids(50));
  ASSERT_TRUE(reloads_.begin().has_value());
  ASSERT_TRUE(run_until([&] { return told_ == 1; }));
  EXPECT_EQ(code_, ErrorCode::kUpstreamProtocol);
  EXPECT_LE(asked(), 2 * limits::kRevivalsAtATime);
  const uint64_t in_vain = asked();
  gateway_.answer = answer_with("200 OK");
  ASSERT_TRUE(reloads_.begin().has_value());
  ASSERT_TRUE(run_until([&] { return told_ == 2; }));
  EXPECT_EQ(code_, ErrorCode::kNone);
  EXPECT_EQ(asked(), in_vain + 50);
}

TEST_F(ReloadsTest, WhoCancelsIsNotTold) {
  gateway_.answer = "";
  reloads_.want(ids(3));
  ASSERT_TRUE(reloads_.begin().has_value());
  reloads_.cancel();
  EXPECT_FALSE(reloads_.runs());
  EXPECT_TRUE(reloads_.pending());
  gateway_.answer = answer_with("200 OK");
  run_turns();
  EXPECT_EQ(told_, 0);
}

}  // namespace kg::upstream::reloads_test
