#include "routing/pod_facts.h"

#include <gtest/gtest.h>

#include <memory>

namespace kg::routing::pod_facts_test {

TEST(PodFacts, ARestartIsSuspectedOnceUntilThePodAnswers) {
  // On the heap, where its alignment is kept.
  const auto kept = std::make_unique<PodFacts>();
  PodFacts& facts = *kept;
  facts.answered();
  EXPECT_TRUE(facts.suspect_restart());
  EXPECT_FALSE(facts.suspect_restart()) << "the same event, seen by another connection";
  EXPECT_EQ(facts.restarts(), 1U);
  facts.answered();
  EXPECT_TRUE(facts.suspect_restart());
  EXPECT_EQ(facts.restarts(), 2U);
}

TEST(PodFacts, ARestartThatTwoFindOutIsOne) {
  // On the heap, where its alignment is kept.
  const auto kept = std::make_unique<PodFacts>();
  PodFacts& facts = *kept;
  EXPECT_TRUE(facts.note_restart_since(0));
  EXPECT_FALSE(facts.note_restart_since(0));
  EXPECT_EQ(facts.restarts(), 1U);
  EXPECT_TRUE(facts.note_restart_since(1));
}

TEST(PodFacts, APodTakesNewKernelsUnlessItIsIllGoneOrClosed) {
  // On the heap, where its alignment is kept.
  const auto kept = std::make_unique<PodFacts>();
  PodFacts& facts = *kept;
  EXPECT_TRUE(facts.takes_new());
  facts.set_healthy(false);
  EXPECT_FALSE(facts.takes_new());
  facts.set_healthy(true);
  facts.set_gone(true);
  EXPECT_FALSE(facts.takes_new());
  facts.set_gone(false);
  facts.set_cordoned(true);
  EXPECT_FALSE(facts.takes_new());
  facts.set_cordoned(false);
  EXPECT_TRUE(facts.takes_new());
}

TEST(PodBook, FindsAPodAgainForAsLongAsSomebodyKnowsIt) {
  PodBook book;
  PodFactsRef facts = book.facts_of("vc", "ep", "jeg-0", "10.0.0.1:8888");
  facts->suspect_restart();
  EXPECT_EQ(book.facts_of("vc", "ep", "jeg-0", "10.0.0.1:8888"), facts);
  facts.reset();
  EXPECT_EQ(book.facts_of("vc", "ep", "jeg-0", "10.0.0.1:8888")->restarts(), 0U);
}

TEST(PodBook, AnotherPlaceOrNameIsAnotherPod) {
  PodBook book;
  const PodFactsRef facts = book.facts_of("vc", "ep", "jeg-0", "10.0.0.1:8888");
  EXPECT_NE(book.facts_of("xx", "ep", "jeg-0", "10.0.0.1:8888"), facts);
  EXPECT_NE(book.facts_of("vc", "xx", "jeg-0", "10.0.0.1:8888"), facts);
  EXPECT_NE(book.facts_of("vc", "ep", "jeg-1", "10.0.0.1:8888"), facts);
  EXPECT_NE(book.facts_of("vc", "ep", "jeg-0", "10.0.0.2:8888"), facts);
}

}  // namespace kg::routing::pod_facts_test
