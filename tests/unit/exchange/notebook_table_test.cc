#include "proxy/exchange/notebook_table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "proxy/base/limits.h"

namespace kg::exchange::notebook_table_test {

using kernel::NotebookRequest;
using kernel::NotebookSession;

constexpr const char* kEndpoint = "ep";

NotebookRequest at(const std::string& path) {
  NotebookRequest out;
  out.path = path;
  return out;
}

class NotebookTableTest : public testing::Test {
 protected:
  bool start(const std::string& kernel, const std::string& path) {
    return table_.change(kEndpoint, kernel, {kernel, true}, at(path)).forgot;
  }
  bool attach(const std::string& kernel, const std::string& more, const std::string& path) {
    return table_.change(kEndpoint, kernel + "_" + more, {kernel, false}, at(path)).forgot;
  }
  std::string path(const std::string& id) { return table_.session(kEndpoint, id).path; }
  std::vector<std::string> ids(const std::string& kernel) {
    std::vector<std::string> out;
    for (const NotebookSession& one : table_.of_kernel(kEndpoint, kernel)) out.push_back(one.id);
    std::sort(out.begin(), out.end());
    return out;
  }

  NotebookTable table_;
};

using Ids = std::vector<std::string>;

TEST_F(NotebookTableTest, KnowsASessionByItsIdAndItsKernel) {
  start("k1", "a");
  attach("k1", "1", "b");
  EXPECT_EQ(path("k1"), "a");
  EXPECT_EQ(table_.session(kEndpoint, "k1_1").kernel_id, "k1");
  EXPECT_EQ(ids("k1"), (Ids{"k1", "k1_1"}));
}

TEST_F(NotebookTableTest, WhatIsNotKnownIsCalledByItsId) {
  EXPECT_EQ(table_.session(kEndpoint, "k2").kernel_id, "k2");
  EXPECT_EQ(table_.session(kEndpoint, "k2_1").kernel_id, "k2");
  EXPECT_EQ(ids("k2"), Ids{"k2"});
  attach("k2", "1", "b");
  EXPECT_EQ(ids("k2"), (Ids{"k2", "k2_1"})) << "its first one may be known elsewhere";
}

TEST_F(NotebookTableTest, AnotherEndpointsAreOthers) {
  start("k1", "a");
  EXPECT_EQ(table_.session("other", "k1").path, "k1");
  table_.forget_kernel("other", "k1");
  EXPECT_EQ(path("k1"), "a");
}

TEST_F(NotebookTableTest, ChangesAddUp) {
  start("k1", "a");
  NotebookRequest name;
  name.name = "n";
  table_.change(kEndpoint, "k1", {}, name);
  const NotebookSession now = table_.change(kEndpoint, "k1", {}, at("b")).session;
  EXPECT_EQ(now.path + now.name + now.kernel_id + now.type, "bnk1notebook");
  EXPECT_EQ(table_.size(), 1U);
}

TEST_F(NotebookTableTest, ASessionWithANewKernelKeepsItsId) {
  start("k1", "a");
  table_.change(kEndpoint, "k1", {"k2", true}, {});
  EXPECT_EQ(ids("k2"), Ids{"k1"}) << "made for it: k2 has no other";
  EXPECT_EQ(ids("k1"), Ids{}) << "and the old one has none";
  EXPECT_EQ(path("k1"), "a");
  table_.change(kEndpoint, "k1", {"k3", false}, {});
  EXPECT_EQ(ids("k3"), (Ids{"k1", "k3"}));
}

TEST_F(NotebookTableTest, AKernelThatIsGoneTakesItsSessionsWithIt) {
  start("k1", "a");
  attach("k1", "1", "b");
  start("k2", "c");
  table_.forget_kernel(kEndpoint, "k1");
  table_.forget_kernel(kEndpoint, "never");
  EXPECT_EQ(table_.size(), 1U);
  EXPECT_EQ(path("k1_1"), "k1_1");
}

TEST_F(NotebookTableTest, OfAKernelsTheOldestFurtherOneIsForgotten) {
  start("k1", "a");
  for (size_t i = 1; i < limits::kNotebooksPerKernelMax; ++i) {
    EXPECT_FALSE(attach("k1", std::to_string(i), "p"));
  }
  EXPECT_FALSE(attach("k1", "1", "again")) << "no further one";
  EXPECT_TRUE(attach("k1", "more", "p"));
  EXPECT_EQ(table_.size(), limits::kNotebooksPerKernelMax);
  EXPECT_EQ(path("k1"), "a");
  EXPECT_EQ(path("k1_1"), "again");
  EXPECT_EQ(path("k1_2"), "k1_2");
}

TEST_F(NotebookTableTest, OfAllTheOldestIsForgotten) {
  for (size_t i = 0; i < limits::kNotebooksMax; ++i) {
    EXPECT_FALSE(start(std::to_string(i), "p"));
  }
  start("0", "again");  // no longer the oldest
  EXPECT_TRUE(start("one more", "p"));
  EXPECT_EQ(table_.size(), limits::kNotebooksMax);
  EXPECT_EQ(path("0"), "again");
  EXPECT_EQ(path("1"), "1");
  EXPECT_EQ(path("2"), "p");
}

}  // namespace kg::exchange::notebook_table_test
