// "Did you mean": the nearest of known names, and none where nothing is near.
#include "config/nearest.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace kg::config::nearest_test {
namespace {

std::string nearest(std::string_view wanted, std::initializer_list<std::string_view> names) {
  Nearest nearest(wanted);
  for (const std::string_view name : names) nearest.offer(name);
  return std::string(nearest.found());
}

TEST(Nearest, IsTheOneWithTheFewestErrors) {
  EXPECT_EQ(nearest("endpiont-id", {"endpoints", "endpoint-id"}), "endpoint-id");
  EXPECT_EQ(nearest("tls_minimun", {"tls_minimum", "tls_maximum"}), "tls_minimum");
  EXPECT_EQ(nearest("audiance", {"audience", "audiences"}), "audience");
}

TEST(Nearest, OfEquallyNearOnesIsTheFirst) {
  EXPECT_EQ(nearest("hosta", {"hostb", "hostc"}), "hostb");
  EXPECT_EQ(nearest("hosta", {"hostc", "hostb"}), "hostc");
}

TEST(Nearest, AThirdOfAShortNameMayBeWrong) {
  EXPECT_EQ(nearest("di", {"id"}), "id");
  EXPECT_EQ(nearest("xy", {"id"}), "");
  EXPECT_EQ(nearest("halts", {"hosts"}), "hosts");
  EXPECT_EQ(nearest("x", {"y"}), "");
}

TEST(Nearest, FourErrorsAreAnotherName) {
  EXPECT_EQ(nearest("session-secret-xyz", {"session-secret"}), "");
  EXPECT_EQ(nearest("session-secret-xy", {"session-secret"}), "session-secret");
}

TEST(Nearest, NamesOfAnyLengthAreCheap) {
  const std::string longest(Nearest::kLengthMax, 'a');
  EXPECT_EQ(nearest(longest, {longest}), longest);
  EXPECT_EQ(nearest(longest + 'a', {longest}), "");
}

}  // namespace
}  // namespace kg::config::nearest_test
