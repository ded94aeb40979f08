#include "proxy/exchange/notebook_table.h"

#include <gtest/gtest.h>

#include "tests/unit/event/loop_support.h"
#include "proxy/base/limits.h"

namespace kg::exchange::notebook_table_test {

using kernel::NotebookSession;

NotebookSession named(const std::string& id, const std::string& kernel, const std::string& path) {
  return {id, kernel, path, "", "notebook"};
}

class NotebookTableTest : public testing::Test {
 protected:
  event::EventLoop loop_;
  event::EventLoop other_loop_;
  NotebookTable table_{loop_};
  NotebookTable other_{other_loop_};
};

TEST_F(NotebookTableTest, KnowsASessionByItsIdAndItsKernel) {
  table_.put(named("k1", "k1", "a"));
  table_.put(named("extra", "k1", "b"));
  EXPECT_EQ(table_.session("k1").path, "a");
  EXPECT_EQ(table_.session("extra").kernel_id, "k1");
  EXPECT_EQ(table_.of_kernel("k1").size(), 2U);
  EXPECT_EQ(table_.session("k2").kernel_id, "k2") << "an unknown id is its kernel's";
  EXPECT_EQ(table_.of_kernel("k2").front().path, "k2");
}

TEST_F(NotebookTableTest, AChangeTakesThePlaceOfWhatWas) {
  table_.put(named("s", "k1", "a"));
  table_.put(named("s", "k2", "b"));
  EXPECT_EQ(table_.size(), 1U);
  EXPECT_EQ(table_.session("s").path, "b");
  EXPECT_EQ(table_.of_kernel("k1").front().id, "k1") << "no longer that kernel's";
  EXPECT_EQ(table_.of_kernel("k2").front().id, "s");
}

TEST_F(NotebookTableTest, ADeletedKernelTakesItsSessionsWithIt) {
  table_.put(named("k1", "k1", "a"));
  table_.put(named("extra", "k1", "b"));
  table_.put(named("k2", "k2", "c"));
  table_.forget_kernel("k1");
  table_.forget_kernel("never");
  EXPECT_EQ(table_.size(), 1U);
  EXPECT_EQ(table_.session("extra").path, "extra");
}

TEST_F(NotebookTableTest, TheOldestIsForgotten) {
  for (size_t i = 0; i < limits::kNotebooksMax; ++i) {
    table_.put(named(std::to_string(i), std::to_string(i), "p"));
  }
  table_.put(named("0", "0", "again"));  // changed: no longer the oldest
  table_.put(named("one more", "one more", "p"));
  EXPECT_EQ(table_.size(), limits::kNotebooksMax);
  EXPECT_EQ(table_.session("0").path, "again");
  EXPECT_EQ(table_.session("1").path, "1");
  EXPECT_EQ(table_.session("2").path, "p");
}

TEST_F(NotebookTableTest, EveryWorkerLearnsIt) {
  NotebookBoard board;
  board.add(table_);
  board.add(other_);
  board.put(table_, named("s", "k", "a"));
  EXPECT_EQ(table_.session("s").path, "a");
  EXPECT_EQ(other_.session("s").path, "s") << "not yet";
  event::run_turns(other_loop_, 2);
  EXPECT_EQ(other_.session("s").path, "a");
  board.forget_kernel(other_, "k");
  event::run_turns(loop_, 2);
  EXPECT_EQ(table_.size() + other_.size(), 0U);
}

}  // namespace kg::exchange::notebook_table_test
