#include <gtest/gtest.h>

#include <string>

#include "proxy/base/limits.h"
#include "proxy/kernel/operation.h"

namespace kg::kernel {
namespace {

using namespace std::string_literals;

constexpr uint32_t kFallbackMs = 123'456;

// The deadline, or 0 for kBadRequest.
uint32_t timeout(std::string_view body) {
  const auto result = launch_timeout_ms(body, kFallbackMs);
  if (result) return *result;
  EXPECT_EQ(result.error().code, ErrorCode::kBadRequest);
  return 0;
}

uint32_t timeout_of(const std::string& value) {
  return timeout(R"({"name":"python3","env":{"KERNEL_USERNAME":"alice","KERNEL_LAUNCH_TIMEOUT":)" +
                 value + R"(,"KERNEL_ID":"x"}})");
}

TEST(LaunchTimeout, IsReadFromStringsAndNumbers) {
  EXPECT_EQ(timeout_of("\"400\""), 400'000u);
  EXPECT_EQ(timeout_of("\" 90 \""), 90'000u);
  EXPECT_EQ(timeout_of("\"90.5\""), 90'500u);
  EXPECT_EQ(timeout_of("400"), 400'000u);
  EXPECT_EQ(timeout_of("61.25"), 61'250u);
}

TEST(LaunchTimeout, StaysWithinTheLimits) {
  for (const std::string& value : {"\"1\""s, "0"s, "-5"s, "\"-5\""s, "59.999"s, "-1e300"s}) {
    EXPECT_EQ(timeout_of(value), limits::kLaunchMsMin) << value;
  }
  for (const std::string& value :
       {"\"401\""s, "100000"s, "1e300"s, "18446744073709551615"s, "\"1e9\""s}) {
    EXPECT_EQ(timeout_of(value), limits::kLaunchMsMax) << value;
  }
}

TEST(LaunchTimeout, FallsBackWhenAbsentOrNoNumber) {
  for (const std::string& value :
       {"\"\""s, "\"soon\""s, "\"400s\""s, "\"0x10\""s, "\"nan\""s, "\"inf\""s, "\"1e999\""s,
        "null"s, "true"s, "[400]"s, R"({"KERNEL_LAUNCH_TIMEOUT":"400"})"s}) {
    EXPECT_EQ(timeout_of(value), kFallbackMs) << value;
  }
  for (const std::string_view body :
       {"{}", R"({"name":"python3"})", R"({"env":{}})", R"({"env":null})",
        R"({"env":["KERNEL_LAUNCH_TIMEOUT",400]})", R"({"KERNEL_LAUNCH_TIMEOUT":400})",
        R"({"x":{"KERNEL_LAUNCH_TIMEOUT":400}})",
        R"({"env":{"env":{"KERNEL_LAUNCH_TIMEOUT":400}}})",
        R"({"x":{"env":{"KERNEL_LAUNCH_TIMEOUT":400}}})",
        R"({"env":[{"KERNEL_LAUNCH_TIMEOUT":400}]})", R"({"env":{"kernel_launch_timeout":400}})"}) {
    EXPECT_EQ(timeout(body), kFallbackMs) << body;
  }
}

TEST(LaunchTimeout, TakesTheLastOfRepeatedKeysAsGatewaysDo) {
  EXPECT_EQ(timeout(R"({"env":{"KERNEL_LAUNCH_TIMEOUT":"100","KERNEL_LAUNCH_TIMEOUT":200}})"),
            200'000u);
  EXPECT_EQ(timeout(R"({"env":{"KERNEL_LAUNCH_TIMEOUT":200,"KERNEL_LAUNCH_TIMEOUT":"100"}})"),
            100'000u);
  EXPECT_EQ(timeout(R"({"env":{"KERNEL_LAUNCH_TIMEOUT":200,"KERNEL_LAUNCH_TIMEOUT":null}})"),
            kFallbackMs);
  EXPECT_EQ(timeout(R"({"env":{"KERNEL_LAUNCH_TIMEOUT":200},"env":{}})"), kFallbackMs);
  EXPECT_EQ(timeout(R"({"env":{},"env":{"KERNEL_LAUNCH_TIMEOUT":200}})"), 200'000u);
  EXPECT_EQ(timeout(R"({"\u0065nv":{"KERNEL_LAUNCH_TIMEOU\u0054":200}})"), 200'000u);
}

TEST(LaunchTimeout, RefusesWhatIsNoObject) {
  for (const std::string& body :
       {""s, " "s, "null"s, "400"s, "\"{}\""s, "[]"s, "[{}]"s, "{"s, "}"s, "{}{}"s, "{} x"s,
        "{'env':1}"s, "{\"env\":{\"KERNEL_LAUNCH_TIMEOUT\":400}"s, "{\"a\":1,}"s, "{\"a\":NaN}"s,
        "{}\0"s, "{}\0{\"env\":1}"s, "{\"a\":\"\xff\"}"s, "{/**/}"s}) {
    EXPECT_EQ(timeout(body), 0u) << body;
  }
}

TEST(LaunchTimeout, RefusesDeepNesting) {
  const auto nested = [](size_t arrays) {
    return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_EQ(timeout(nested(31)), kFallbackMs);
  EXPECT_EQ(timeout(nested(32)), 0u);
  EXPECT_EQ(timeout(nested(500'000)), 0u);
  std::string objects;
  for (int i = 0; i < 33; ++i) objects += "{\"a\":";
  EXPECT_EQ(timeout(objects + "1" + std::string(33, '}')), 0u);
}

TEST(CreatedKernelId, IsTheTopLevelId) {
  const std::string id = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
  EXPECT_EQ(created_kernel_id(R"({"id":")" + id + R"(","name":"python3","connections":0})"), id);
  EXPECT_EQ(created_kernel_id(R"({"kernel":{"id":"a-b-c-d-f"},"id": ")" + id + "\"}\n"), id);
}

TEST(CreatedKernelId, IsEmptyIfThereIsNone) {
  for (const std::string_view body :
       {"", "{}", "[]", "\"a-b-c-d-e\"", R"([{"id":"a-b-c-d-e"}])",
        R"({"kernel":{"id":"a-b-c-d-e"}})", R"({"id":5})", R"({"id":""})", R"({"id":"../x"})",
        R"({"id":{"id":"a-b-c-d-e"}})", R"({"id":"a-b-c-d-e")",
        R"({"reason":"Not Found","message":"Kernel does not exist: a-b-c-d-e"})"}) {
    EXPECT_EQ(created_kernel_id(body), "") << body;
  }
}

}  // namespace
}  // namespace kg::kernel
