#include "proxy/exchange/launch_gate.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "proxy/base/limits.h"

namespace kg::exchange::launch_gate_test {

using Kind = LaunchGate::Word::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kAlice = 1;
constexpr uint64_t kBob = 2;

class LaunchGateTest : public testing::Test {
 protected:
  // What was said since the last look, as "ticket:kind".
  std::vector<std::string> said() {
    static constexpr const char* kNames[] = {"turn", "new", "full", "answered", "kept", "unwanted"};
    std::vector<std::string> out;
    for (const LaunchGate::Word& word : words_) {
      out.push_back(std::to_string(word.ticket) + ":" + kNames[static_cast<size_t>(word.kind)]);
    }
    words_.clear();
    return out;
  }
  void ask(uint64_t ticket, uint64_t principal = kAlice, const std::string& key = "") {
    gate_.ask({ticket, principal, key}, bounds_, now_us_, words_);
  }
  LaunchAnswerRef answer(uint16_t status = 201) {
    auto made = std::make_shared<LaunchAnswer>();
    made->status = status;
    return made;
  }

  LaunchGate gate_;
  LaunchGate::Bounds bounds_{2, 4};
  LaunchGate::Words words_;
  uint64_t now_us_ = 1'000'000;
};

TEST_F(LaunchGateTest, RunsAsManyAsItMayAndTheNextWhenOneEnds) {
  ask(1);
  ask(2);
  ask(3);
  EXPECT_THAT(said(), ElementsAre("1:turn", "2:turn"));
  EXPECT_EQ(gate_.running(), 2U);
  EXPECT_EQ(gate_.waiting(), 1U);
  gate_.answered(1, answer(), words_);
  EXPECT_THAT(said(), ElementsAre("3:turn"));
  gate_.leave(2, words_);
  gate_.leave(3, words_);
  EXPECT_TRUE(gate_.idle());
  EXPECT_EQ(gate_.running(), 0U);
}

TEST_F(LaunchGateTest, PrincipalsTakeTurns) {
  bounds_ = {1, 10};
  for (uint64_t ticket = 10; ticket < 14; ++ticket) ask(ticket, kAlice);
  ask(20, kBob);
  std::vector<std::string> order = said();
  for (const uint64_t running : {10U, 11U, 20U, 12U}) {
    gate_.answered(running, answer(), words_);
    for (const std::string& word : said()) order.push_back(word);
  }
  EXPECT_THAT(order, ElementsAre("10:turn", "11:turn", "20:turn", "12:turn", "13:turn"));
}

TEST_F(LaunchGateTest, TooManyWaitingAreToldAtOnce) {
  for (uint64_t ticket = 1; ticket <= 7; ++ticket) ask(ticket);
  EXPECT_THAT(said(), ElementsAre("1:turn", "2:turn", "7:full"));
  gate_.leave(7, words_);  // it is not there
  EXPECT_EQ(gate_.waiting(), 4U);
  bounds_.waiting_max = 0;
  ask(8);
  EXPECT_THAT(said(), ElementsAre("8:full"));
}

TEST_F(LaunchGateTest, NoQueueStillMeansTurns) {
  bounds_ = {1, 0};
  ask(1);
  ask(2);
  EXPECT_THAT(said(), ElementsAre("1:turn", "2:full"));
}

TEST_F(LaunchGateTest, WhoeverLeavesTheQueueGetsNoTurn) {
  for (uint64_t ticket = 1; ticket <= 4; ++ticket) ask(ticket);
  gate_.leave(3, words_);
  said();
  gate_.answered(1, answer(), words_);
  EXPECT_THAT(said(), ElementsAre("4:turn"));
}

TEST_F(LaunchGateTest, ARaisedBoundCountsWithTheNextAsker) {
  for (uint64_t ticket = 1; ticket <= 4; ++ticket) ask(ticket);
  said();
  bounds_ = {4, 4};
  ask(5);
  EXPECT_THAT(said(), ElementsAre("3:turn", "4:turn"));
}

TEST_F(LaunchGateTest, TheSameStartGoesUpOnceAndAnswersAll) {
  ask(1, kAlice, "k");
  ask(2, kAlice, "k");
  ask(3, kAlice, "k");
  EXPECT_THAT(said(), ElementsAre("1:turn"));
  EXPECT_EQ(gate_.running(), 1U);
  const LaunchAnswerRef made = answer();
  gate_.answered(1, made, words_);
  ASSERT_EQ(words_.size(), 2U);
  EXPECT_EQ(words_[0].answer, made);
  EXPECT_THAT(said(), ElementsAre("2:answered", "3:answered"));
  EXPECT_TRUE(gate_.idle());
  ask(4, kAlice, "k");
  EXPECT_THAT(said(), ElementsAre("4:turn"));
}

TEST_F(LaunchGateTest, WhoJoinedTakesThePlaceOfOneThatLeftWithoutAnAnswer) {
  ask(1, kAlice, "k");
  ask(2, kAlice, "k");
  ask(3, kAlice, "k");
  said();
  gate_.leave(1, words_);
  EXPECT_THAT(said(), ElementsAre("2:turn"));
  EXPECT_EQ(gate_.running(), 1U);
  gate_.answered(2, answer(), words_);
  EXPECT_THAT(said(), ElementsAre("3:answered"));
}

TEST_F(LaunchGateTest, WhoJoinedTakesThePlaceInTheQueue) {
  bounds_.running_max = 1;
  ask(1);
  ask(2, kAlice, "k");
  ask(3, kAlice, "k");
  gate_.leave(2, words_);
  said();
  EXPECT_EQ(gate_.waiting(), 1U);
  gate_.answered(1, answer(), words_);
  EXPECT_THAT(said(), ElementsAre("3:turn"));
}

TEST_F(LaunchGateTest, WhoJoinedMayLeaveAgain) {
  ask(1, kAlice, "k");
  ask(2, kAlice, "k");
  gate_.leave(2, words_);
  said();
  gate_.answered(1, answer(), words_);
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_TRUE(gate_.idle());
}

TEST_F(LaunchGateTest, AKernelWhoseClientLeftIsKeptForWhoAskedAgain) {
  ask(1, kAlice, "k");
  ask(2, kAlice, "k");
  said();
  gate_.unclaimed(1, answer(), words_);
  EXPECT_THAT(said(), ElementsAre("1:kept", "2:answered"));
  EXPECT_TRUE(gate_.idle());
}

TEST_F(LaunchGateTest, AKernelThatNobodyWantsGoesBeforeItsIdIsUsedAgain) {
  ask(1, kAlice, "k");
  said();
  gate_.unclaimed(1, answer(), words_);
  EXPECT_THAT(said(), ElementsAre("1:unwanted"));
  ask(2, kAlice, "k");
  EXPECT_THAT(said(), IsEmpty()) << "the kernel is being deleted";
  EXPECT_EQ(gate_.running(), 1U);
  gate_.leave(1, words_);
  EXPECT_THAT(said(), ElementsAre("2:turn"));
}

TEST_F(LaunchGateTest, AfterALostStartItsKeyGetsNewIdsForAWhile) {
  ask(1, kAlice, "k");
  ask(2, kAlice, "k");
  said();
  gate_.lost(1, answer(0), now_us_ + 5'000'000, words_);
  EXPECT_THAT(said(), ElementsAre("2:answered"));
  EXPECT_EQ(gate_.running(), 0U);
  ask(3, kAlice, "k");
  ask(4, kAlice, "other");
  EXPECT_THAT(said(), ElementsAre("3:new", "4:turn"));
  gate_.answered(3, answer(), words_);
  now_us_ += 5'000'000;
  ask(5, kAlice, "k");
  EXPECT_THAT(said(), ElementsAre("5:turn"));
}

TEST_F(LaunchGateTest, RemembersABoundedNumberOfLostStarts) {
  bounds_ = {100'000, 0};
  const size_t many = limits::kLostLaunchesMax + 10;
  for (uint64_t ticket = 1; ticket <= many; ++ticket) {
    ask(ticket, kAlice, "k" + std::to_string(ticket));
    gate_.lost(ticket, answer(0), now_us_ + 1'000, words_);
  }
  said();
  size_t remembered = 0;
  for (uint64_t i = 1; i <= many; ++i) {
    ask(many + i, kAlice, "k" + std::to_string(i));
    if (said().front().ends_with("new")) ++remembered;
  }
  EXPECT_EQ(remembered, limits::kLostLaunchesMax);
}

TEST_F(LaunchGateTest, WordsOfNobodyAreHarmless) {
  gate_.answered(9, answer(), words_);
  gate_.unclaimed(9, answer(), words_);
  gate_.lost(9, answer(), 1, words_);
  gate_.leave(9, words_);
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_EQ(gate_.running(), 0U);
}

}  // namespace kg::exchange::launch_gate_test
