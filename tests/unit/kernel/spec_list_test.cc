#include "proxy/kernel/spec_list.h"

#include <gtest/gtest.h>

namespace kg::kernel::spec_list_test {

constexpr std::string_view kList =
    R"({"default": "ir", "kernelspecs": {)"
    R"("python3": {"name": "python3", "spec": {"argv": ["a"], "env": {}}, "resources": {}},)"
    R"("ir": {"name": "ir", "spec": {"display_name": "\u00c4"}},)"
    R"("spark": {"name": "spark"}}})";

std::optional<std::string> keeping(std::string_view body, std::vector<std::string_view> names) {
  return filter_spec_list(body, [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

TEST(SpecList, KeepsWhatIsShownAsItWas) {
  EXPECT_EQ(keeping(kList, {"spark", "python3", "absent"}),
            R"({"default":"python3","kernelspecs":{)"
            R"("python3":{"name":"python3","spec":{"argv":["a"],"env":{}},"resources":{}},)"
            R"("spark":{"name":"spark"}}})");
  EXPECT_EQ(keeping(kList, {"ir"}),
            "{\"default\":\"ir\",\"kernelspecs\":{\"ir\":{\"name\":\"ir\",\"spec\":"
            "{\"display_name\":\"\xc3\x84\"}}}}");
  EXPECT_EQ(keeping(kList, {}), R"({"default":"","kernelspecs":{}})");
}

TEST(SpecList, WhatElseAGatewaySaysGoesNoFurther) {
  EXPECT_EQ(keeping(R"({"kernelspecs":{},"default":5,"secret":"x"})", {"x"}),
            R"({"default":"","kernelspecs":{}})");
}

TEST(SpecList, ASpecThatCallsItselfOtherwiseIsNotShown) {
  for (const char* own : {R"("ir")", "5", "null", "[]"}) {
    const std::string body = R"({"kernelspecs":{"python3":{"name":)" + std::string(own) + "}}}";
    EXPECT_EQ(keeping(body, {"python3", "ir"}), R"({"default":"","kernelspecs":{}})") << own;
  }
}

TEST(SpecList, WhatIsNoListOfSpecsIsRefused) {
  const std::string deep =
      R"({"kernelspecs":{"a":{"x":)" + std::string(40, '[') + std::string(40, ']') + "}}}";
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"kernelspecs":[]})"),
        std::string(R"({"kernelspecs":{"a":1}})"), std::string(R"({"kernelspecs":{}} x)"),
        std::string("{\"kernelspecs\":{\"a\":{\"x\":\"\xff\"}}}"), deep,
        std::string(kList) + std::string(1, '\0'),
        std::string(kList.substr(0, kList.size() - 1))}) {
    EXPECT_FALSE(keeping(body, {"a"})) << body;
  }
}

}  // namespace kg::kernel::spec_list_test
