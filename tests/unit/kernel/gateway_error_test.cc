#include "proxy/kernel/gateway_error.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/base/limits.h"

namespace kg::kernel::gateway_error_test {

TEST(GatewayError, ReasonAndMessagePass) {
  const auto reduced = reduce_error(R"({"reason": "Not Found", "message": "no \"k\""})", "x");
  ASSERT_TRUE(reduced.has_value());
  EXPECT_EQ(reduced->json, "{\"reason\":\"Not Found\",\"message\":\"no \\\"k\\\"\"}\n");
  EXPECT_TRUE(reduced->whole);
}

TEST(GatewayError, TracebacksStayHere) {
  const auto reduced = reduce_error(
      R"({"message": "Unhandled error", "reason": null, "traceback": "File \"/opt/jeg.py\""})",
      "Internal Server Error");
  ASSERT_TRUE(reduced.has_value());
  EXPECT_EQ(reduced->json,
            "{\"reason\":\"Internal Server Error\",\"message\":\"Unhandled error\"}\n");
  EXPECT_FALSE(reduced->whole);
}

TEST(GatewayError, ARestartOfAnUnknownKernelIsTold) {
  // As Jupyter Enterprise Gateway 3.3.0 says it.
  const std::string begun =
      R"({"message": "Exception restarting kernel", "traceback": [)"
      R"("  File \"/x/r.py\", line 238, in restart_kernel\n    self.get_kernel(id)\n", )";
  const std::string end =
      R"("  File \"/x/k.py\", line 500, in _check_kernel_id\n    raise HTTPError(404)\n")";
  EXPECT_TRUE(says_unknown_kernel(begun + end + "]}"));
  EXPECT_FALSE(
      says_unknown_kernel(begun + end + R"(, "  File \"/x/k.py\", line 9, in launch\n"]})"));
  EXPECT_FALSE(says_unknown_kernel(begun + R"([)" + end + R"(]]})"));
  EXPECT_FALSE(says_unknown_kernel(R"({"message": )" + end + R"(, "a": [)" + end + "]}"));
  EXPECT_FALSE(says_unknown_kernel(begun + end));
  EXPECT_FALSE(says_unknown_kernel(R"({"message": "Kernel does not exist: a-b-c-d-e"})"));
}

TEST(GatewayError, OnlyTheTopObjectCounts) {
  const auto reduced =
      reduce_error(R"({"a": [{"message": "inner"}], "message": "outer", "b": {"reason": 1}})", "r");
  ASSERT_TRUE(reduced.has_value());
  EXPECT_EQ(reduced->json, "{\"reason\":\"r\",\"message\":\"outer\"}\n");
  EXPECT_FALSE(reduced->whole);
}

TEST(GatewayError, ValuesThatAreNoTextStayHere) {
  for (const char* value : {"1", "-1", "1.5", "true", "null", "{}", "[\"x\"]", "{\"a\":\"b\"}"}) {
    const auto reduced =
        reduce_error(R"({"reason": "r", "message": )" + std::string(value) + "}", "x");
    ASSERT_TRUE(reduced.has_value()) << value;
    EXPECT_EQ(reduced->json, "{\"reason\":\"r\",\"message\":\"\"}\n") << value;
    EXPECT_FALSE(reduced->whole) << value;
  }
}

TEST(GatewayError, WhatIsNoSuchObjectIsNotRead) {
  const std::string deep =
      R"({"message": "x", "a": )" + std::string(32, '[') + std::string(32, ']') + "}";
  for (const std::string& body :
       {std::string("<html>"), std::string(), std::string("[]"), std::string("\"message\""),
        std::string("{}"), std::string(R"({"error": "x"})"), std::string(R"({"message": 1})"),
        std::string(R"({"message": "a", "message": "b"})"), std::string(R"({"message": "a"} x)"),
        std::string("{\"message\": \"\xc0\xaf\"}"), std::string("{\"message\": \"a\"}\0", 17),
        deep}) {
    EXPECT_FALSE(reduce_error(body, "x").has_value()) << body;
  }
}

TEST(GatewayError, LongTextsAreCutBetweenCharacters) {
  std::string text(limits::kErrorTextBytesMax - 1, 'x');
  const auto reduced = reduce_error("{\"message\": \"" + text + "\u00e4 and more\"}", "r");
  ASSERT_TRUE(reduced.has_value());
  EXPECT_EQ(reduced->json, "{\"reason\":\"r\",\"message\":\"" + text + "\"}\n");
  EXPECT_FALSE(reduced->whole);
}

}  // namespace kg::kernel::gateway_error_test
