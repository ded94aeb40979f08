#include "proxy/kernel/kernel_census.h"

#include <gtest/gtest.h>

#include "proxy/base/limits.h"

namespace kg::kernel::kernel_census_test {

const std::string kId = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
const std::string kElsewhere = "00000000-26f6-4b4d-bfc9-be831a9e648f";

bool is_held(std::string_view id) { return id != kElsewhere; }

std::string entry(const std::string& state, const std::string& id = kId) {
  return R"({"id": ")" + id + R"(", "execution_state": ")" + state + R"(", "connections": 1})";
}

KernelCensus census(const std::string& list) {
  const auto taken = take_census(list, is_held);
  EXPECT_TRUE(taken) << list;
  return taken.value_or(KernelCensus{});
}

TEST(KernelCensus, CountsByState) {
  EXPECT_EQ(census("[]"), KernelCensus{});
  EXPECT_EQ(census("[" + entry("busy") + "," + entry("idle") + "," + entry("busy") + "]"),
            (KernelCensus{.busy = 2, .idle = 1}));
  EXPECT_EQ(census("[" + entry("starting") + "," + entry("dead") + "," + entry("Busy") + "]"),
            (KernelCensus{.other = 3}));
}

TEST(KernelCensus, AKernelWithoutAStateIsOneAllTheSame) {
  const std::string bare = R"([{"id": ")" + kId + "\"";
  EXPECT_EQ(census(bare + "}]"), (KernelCensus{.other = 1}));
  EXPECT_EQ(census(bare + R"(, "execution_state": null}])"), (KernelCensus{.other = 1}));
  EXPECT_EQ(census(bare + R"(, "execution_state": {"x": "busy"}}])"), (KernelCensus{.other = 1}));
  EXPECT_EQ(census(bare + R"(, "x": {"execution_state": "busy"}}])"), (KernelCensus{.other = 1}));
}

TEST(KernelCensus, StatesDoNotPassFromOneEntryToTheNext) {
  EXPECT_EQ(census("[" + entry("busy") + R"(,{"id": ")" + kId + "\"}]"),
            (KernelCensus{.busy = 1, .other = 1}));
}

TEST(KernelCensus, KernelsOfOtherPodsAreCopies) {
  const KernelCensus both = census("[" + entry("busy", kElsewhere) + "," + entry("idle") + "]");
  EXPECT_EQ(both, (KernelCensus{.idle = 1, .copies = 1}));
  EXPECT_EQ(both.kernels(), 1U);
}

TEST(KernelCensus, WhatIsNoListIsUnknownAndNotEmpty) {
  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string("null"), std::string("\"x\""),
        std::string("[null]"), std::string("[[]]"), std::string("[\"x\"]"), std::string("[5]"),
        std::string("["), std::string("[{}]"), std::string(R"([{"id": 5}])"),
        std::string(R"([{"id": null}])"), std::string(R"([{"id": "../x"}])"),
        std::string(R"([{"id": ["a-b-c-d-e"]}])"), std::string(R"([{"id": {}}])"),
        R"([{"id": ")" + kId + R"(", "id": ")" + kId + "\"}]", R"([{"x": {"id": ")" + kId + "\"}}]",
        "[" + entry("busy") + "]x", "[" + entry("busy") + ",]"}) {
    EXPECT_FALSE(take_census(bad, is_held)) << bad;
  }
  EXPECT_FALSE(take_census(std::string_view("[]\0", 3), is_held));
}

TEST(KernelCensus, IsBounded) {
  std::string list = "[";
  for (size_t i = 0; i < limits::kListEntriesMax; ++i) list += entry("idle") + ",";
  list.back() = ']';
  EXPECT_EQ(census(list).idle, limits::kListEntriesMax);
  list.back() = ',';
  EXPECT_FALSE(take_census(list + entry("idle") + "]", is_held));
  const auto deep = [](size_t levels) {
    return R"([{"id": ")" + kId + R"(", "x": )" + std::string(levels, '[') +
           std::string(levels, ']') + "}]";
  };
  EXPECT_TRUE(take_census(deep(30), is_held));
  EXPECT_FALSE(take_census(deep(31), is_held));
}

}  // namespace kg::kernel::kernel_census_test
