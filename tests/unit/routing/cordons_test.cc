#include "routing/cordons.h"

#include <gtest/gtest.h>

#include "proxy/base/limits.h"

namespace kg::routing::cordons_test {

std::string problem_of(std::string_view text) {
  std::string problem;
  return Cordons::parse(text, problem) ? "" : problem;
}

TEST(Cordons, AreReadBackAsTheyWereWritten) {
  Cordons cordons;
  EXPECT_TRUE(cordons.add("abc", "jeg-1"));
  EXPECT_TRUE(cordons.add("abc", "jeg-0"));
  EXPECT_TRUE(cordons.add("xyz", "[::1]:8888"));
  EXPECT_TRUE(cordons.add("abc", "jeg-0"));
  EXPECT_EQ(cordons.all().size(), 3U);
  std::string problem;
  EXPECT_EQ(Cordons::parse(cordons.text(), problem), cordons);
  EXPECT_EQ(Cordons::parse(Cordons().text(), problem), Cordons());
  EXPECT_EQ(Cordons::parse("", problem), Cordons());
}

TEST(Cordons, AreOfOnePodOfOneEndpoint) {
  Cordons cordons;
  cordons.add("abc", "jeg-0");
  EXPECT_TRUE(cordons.has("abc", "jeg-0"));
  EXPECT_FALSE(cordons.has("abc", "jeg-1"));
  EXPECT_FALSE(cordons.has("xyz", "jeg-0"));
  EXPECT_FALSE(cordons.remove("abc", "jeg-1"));
  EXPECT_TRUE(cordons.remove("abc", "jeg-0"));
  EXPECT_FALSE(cordons.has("abc", "jeg-0"));
}

TEST(Cordons, WhatIsNotTheirTextIsRefusedByLine) {
  EXPECT_EQ(problem_of("# x\n\nabc jeg-0\nabc jeg-1"), "");
  for (const char* bad : {"abc", "abc ", " jeg-0", " ", "abc jeg-0 x", "abc  jeg-0", "abc\tjeg-0",
                          "abc jeg-0\r", "abc #jeg", "abc j\xc3\xa9g"}) {
    EXPECT_EQ(problem_of(std::string("abc jeg-0\n") + bad + "\n"),
              "line 2 is not an endpoint and a pod")
        << bad;
  }
  EXPECT_EQ(problem_of("abc " + std::string(253, 'x')), "");
  EXPECT_NE(problem_of("abc " + std::string(254, 'x')), "");
}

TEST(Cordons, AreBounded) {
  Cordons cordons;
  std::string text;
  for (size_t i = 0; i < limits::kCordonsMax; ++i) {
    EXPECT_TRUE(cordons.add("abc", "jeg-" + std::to_string(i)));
    text += "abc jeg-" + std::to_string(i) + "\n";
  }
  EXPECT_FALSE(cordons.add("abc", "one-more"));
  EXPECT_TRUE(cordons.add("abc", "jeg-7"));  // stands there already
  EXPECT_EQ(problem_of(text), "");
  EXPECT_NE(problem_of(text + "abc one-more"), "");
}

}  // namespace kg::routing::cordons_test
