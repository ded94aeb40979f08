#include "proxy/kernel/kernel_list.h"

#include <gtest/gtest.h>

#include "proxy/base/limits.h"

namespace kg::kernel {
namespace {

const std::string kMine = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
const std::string kTheirs = "00000000-26f6-4b4d-bfc9-be831a9e648f";

bool is_mine(std::string_view id) { return id == kMine; }
bool any(std::string_view /*id*/) { return true; }

std::string entry(const std::string& id, const std::string& rest = "") {
  return R"({"id": ")" + id + R"(", "name": "python3")" + rest + "}";
}

std::string filtered(const std::string& body) {
  return filter_kernel_list(body, is_mine).value_or("refused");
}

TEST(KernelList, KeepsWhatTheCallerMaySee) {
  EXPECT_EQ(filtered("[]"), "[]");
  EXPECT_EQ(filtered(" [ ] \n"), "[]");
  EXPECT_EQ(filtered("[" + entry(kTheirs) + "]"), "[]");
  EXPECT_EQ(filtered("[" + entry(kMine) + "]"), "[" + entry(kMine) + "]");
  EXPECT_EQ(filtered("[" + entry(kTheirs) + "," + entry(kMine) + " ,\n" + entry(kTheirs) + "]"),
            "[" + entry(kMine) + "]");
  EXPECT_EQ(filter_kernel_list("[" + entry(kTheirs) + "," + entry(kMine) + "]", any),
            "[" + entry(kTheirs) + ", " + entry(kMine) + "]");
}

TEST(KernelList, PassesEntriesAsTheyAre) {
  const std::string odd =
      "{ \"connections\" :1.50e2,\t\"id\":\"" + kMine +
      R"(","x":{"id":"y","z":[{"id":"]}"},"\"]}\\",null,-0.0]},"y":"\u00e9}" })";
  EXPECT_EQ(filtered("[" + entry(kTheirs, R"(,"x":"\\\"}],{")") + "," + odd + "]"),
            "[" + odd + "]");
}

TEST(KernelList, MendsAMissingFraction) {
  const auto with = [](const std::string& time) {
    return "[" + entry(kMine, R"(, "last_activity": ")" + time + R"(", "connections": 1)") + "]";
  };
  EXPECT_EQ(filtered(with("2026-11-26T15:24:15Z")), with("2026-11-26T15:24:15.000000Z"));
  for (const std::string& time :
       {std::string("2026-11-26T15:24:15.123456Z"), std::string("2026-11-26T15:24:15+00:00"),
        std::string("2026-11-26 15:24:15Z"), std::string("2026-11-26T15:24:1xZ"), std::string()}) {
    EXPECT_EQ(filtered(with(time)), with(time));
  }
  const std::string nested =
      "[" + entry(kMine, R"(,"x":{"last_activity":"2026-11-26T15:24:15Z"})") + "]";
  EXPECT_EQ(filtered(nested), nested);
}

TEST(KernelList, IsRefusedWholeIfAnEntryCannotBeJudged) {
  for (const std::string& bad :
       {std::string("{}"), std::string("null"), std::string("[]"), std::string("\"x\""),
        std::string(R"({"id":5})"), std::string(R"({"id":""})"), std::string(R"({"id":"../x"})"),
        std::string(R"({"id":["a-b-c-d-e"]})"),
        R"({"id":")" + kTheirs + R"(","id":")" + kMine + "\"}",
        R"({"id":")" + kMine + R"(","id":null})", R"({"\u0069d":")" + kMine + "\"}",
        R"({"id":")" + kMine + R"(","\u0069d":")" + kTheirs + "\"}",
        std::string(R"({"id":"\u0036bb19c3b-26f6-4b4d-bfc9-be831a9e648f"})"),
        R"({"x":{"id":")" + kMine + "\"}}"}) {
    EXPECT_EQ(filtered("[" + entry(kMine) + "," + bad + "]"), "refused") << bad;
  }
}

TEST(KernelList, IsRefusedIfItIsNoList) {
  for (const std::string& bad :
       {std::string(), std::string("{}"), entry(kMine), std::string("null"), std::string("["),
        "[" + entry(kMine) + ",]", "[" + entry(kMine) + "]x", "[" + entry(kMine) + "][]",
        "[" + entry(kMine, ",") + "]", "[" + entry(kMine) + " " + entry(kMine) + "]",
        "[" + entry(kMine, ",\"x\":\"\xff\"") + "]", "\xef\xbb\xbf[" + entry(kMine) + "]",
        "[" + entry(kMine) + std::string("]\0", 2), "[" + entry(kMine, ",\"x\":NaN") + "]"}) {
    EXPECT_EQ(filtered(bad), "refused") << bad;
  }
}

TEST(KernelList, IsBounded) {
  const auto deep = [](size_t levels) {
    return "[" + entry(kMine, ",\"x\":" + std::string(levels, '[') + std::string(levels, ']')) +
           "]";
  };
  EXPECT_NE(filtered(deep(30)), "refused");
  EXPECT_EQ(filtered(deep(31)), "refused");
  EXPECT_EQ(filtered(deep(500'000)), "refused");
  std::string many = "[";
  for (size_t i = 0; i < limits::kListEntriesMax; ++i) many += (i == 0 ? "" : ",") + entry(kTheirs);
  EXPECT_EQ(filtered(many + "]"), "[]");
  EXPECT_EQ(filtered(many + "," + entry(kMine) + "]"), "refused");
}

}  // namespace
}  // namespace kg::kernel
