#include "proxy/kernel/launch_body.h"

#include <gtest/gtest.h>

#include "proxy/base/limits.h"

namespace kg::kernel::launch_body_test {

using namespace std::string_literals;

constexpr uint32_t kFallbackMs = 123'456;
constexpr std::string_view kId = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
const std::string kStamp =
    R"("env":{"KERNEL_USERNAME":"alice","KERNEL_ID":")" + std::string(kId) + '"';

const LaunchRules kRules{{"KERNEL_LAUNCH_TIMEOUT", "KERNEL_WORKING_DIR", "KERNEL_LANGUAGE"},
                         {"KERNEL_IMAGE", "KERNEL_NAMESPACE"},
                         {}};

LaunchRules with_spark() {
  LaunchRules rules = kRules;
  rules.spark_conf = {"spark.executor.memory"};
  return rules;
}

LaunchBody read(std::string_view body, const LaunchRules& rules = kRules) {
  LaunchFault fault;
  std::optional<LaunchBody> out = LaunchBody::read(body, rules, fault);
  EXPECT_TRUE(out.has_value()) << body << ": " << fault.what;
  return out.value_or(LaunchBody());
}

std::string stamped(std::string_view body, const LaunchRules& rules = kRules) {
  return read(body, rules).stamped("alice", kId);
}

// "malformed: what" or "denied: what".
std::string fault(std::string_view body, const LaunchRules& rules = kRules) {
  LaunchFault out;
  EXPECT_FALSE(LaunchBody::read(body, rules, out).has_value()) << body;
  EXPECT_TRUE(out.code == ErrorCode::kLaunchMalformed || out.code == ErrorCode::kLaunchDenied);
  return (out.code == ErrorCode::kLaunchDenied ? "denied: " : "malformed: ") + out.what;
}

std::string env(const std::string& members) {
  return R"({"name":"python3","env":{)" + members + "}}";
}

TEST(LaunchBody, AlwaysHasAnEnvWithTheVerifiedNameAndTheMintedId) {
  EXPECT_EQ(stamped(""), "{" + kStamp + "}}");
  EXPECT_EQ(stamped("{}"), "{" + kStamp + "}}");
  EXPECT_EQ(stamped(R"({"name":"python3"})"), R"({"name":"python3",)" + kStamp + "}}");
  EXPECT_EQ(stamped(R"({"env":{}})"), "{" + kStamp + "}}");
  EXPECT_EQ(stamped(env(R"("KERNEL_USERNAME":"root","KERNEL_ID":"mine")")),
            R"({"name":"python3",)" + kStamp + "}}");
  EXPECT_EQ(stamped(env(R"("KERNEL_USERNAME":{"a":["root"]})")),
            R"({"name":"python3",)" + kStamp + "}}");
  EXPECT_EQ(stamped(env(R"("KERNEL\u005fUSERNAME":"root")")),
            R"({"name":"python3",)" + kStamp + "}}");
}

TEST(LaunchBody, PassesListedVariables) {
  EXPECT_EQ(stamped(env(R"("KERNEL_LANGUAGE":"python","KERNEL_WORKING_DIR":"/home/\u00e9 \"x\"")")),
            R"({"name":"python3",)" + kStamp +
                R"(,"KERNEL_LANGUAGE":"python","KERNEL_WORKING_DIR":"/home/é \"x\""}})");
}

TEST(LaunchBody, WritesNumbersAsTexts) {
  EXPECT_EQ(stamped(R"({"env":{"KERNEL_LAUNCH_TIMEOUT":61.25,"KERNEL_LANGUAGE":-5}})"),
            "{" + kStamp + R"(,"KERNEL_LAUNCH_TIMEOUT":"61.25","KERNEL_LANGUAGE":"-5"}})");
  EXPECT_EQ(stamped(R"({"env":{"KERNEL_LAUNCH_TIMEOUT":18446744073709551615}})"),
            "{" + kStamp + R"(,"KERNEL_LAUNCH_TIMEOUT":"18446744073709551615"}})");
}

TEST(LaunchBody, DropsOtherVariablesAndSaysWhich) {
  const LaunchBody body =
      read(env(R"("KERNEL_CPUS":"4","PATH":"/x","KERNEL_LANGUAGE":"r","A`$x":{"b":[1]},)"
               R"("KERNEL_MEMORY":null)"));
  EXPECT_EQ(body.stamped("alice", kId),
            R"({"name":"python3",)" + kStamp + R"(,"KERNEL_LANGUAGE":"r"}})");
  EXPECT_EQ(body.dropped(), 4u);
  EXPECT_EQ(body.dropped_names(), "KERNEL_CPUS,PATH,(odd name),KERNEL_MEMORY");
  EXPECT_EQ(read(env(R"("KERNEL_USERNAME":"a","KERNEL_ID":"b")")).dropped(), 0u);
}

TEST(LaunchBody, NamesSixteenDroppedVariablesAtMost) {
  std::string members;
  for (int i = 10; i < 40; ++i) members += (i == 10 ? "\"V" : ",\"V") + std::to_string(i) + "\":1";
  const LaunchBody body = read(env(members));
  EXPECT_EQ(body.dropped(), 30u);
  EXPECT_TRUE(body.dropped_names().starts_with("V10,V11,")) << body.dropped_names();
  EXPECT_TRUE(body.dropped_names().ends_with(",V25")) << body.dropped_names();
}

TEST(LaunchBody, RefusesDeniedVariablesByName) {
  EXPECT_EQ(fault(env(R"("KERNEL_IMAGE":"evil")")),
            "denied: KERNEL_IMAGE is not for clients to set");
  EXPECT_EQ(fault(env(R"("KERNEL\u005fNAMESPACE":null)")),
            "denied: KERNEL_NAMESPACE is not for clients to set");
  EXPECT_EQ(fault(env(R"("KERNEL_LANGUAGE":"r","KERNEL_IMAGE":{})")),
            "denied: KERNEL_IMAGE is not for clients to set");
  // Only env reaches the gateway's environment.
  EXPECT_EQ(stamped(R"({"KERNEL_IMAGE":"x","a":{"env":{"KERNEL_IMAGE":"x"}},)"
                    R"("env":{"a":{"KERNEL_IMAGE":1}}})"),
            "{" + kStamp + "}}");
}

TEST(LaunchBody, RefusesValuesThatShellsAndTemplatesRead) {
  const std::string what =
      "malformed: KERNEL_LANGUAGE has over 4096 bytes, a dollar, a backtick or a control character";
  for (const std::string& value : {"$HOME"s, "a`id`"s, "a\\nb"s, "a\\rb"s, "\\u0000"s, "\\t"s,
                                   "\\u007f"s, std::string(4097, 'a')}) {
    EXPECT_EQ(fault(env("\"KERNEL_LANGUAGE\":\"" + value + '"')), what) << value;
  }
  stamped(env("\"KERNEL_LANGUAGE\":\"" + std::string(4096, 'a') + '"'));
  for (const std::string& value : {"null"s, "true"s, "[]"s, "{}"s, "[\"a\"]"s}) {
    EXPECT_EQ(fault(env("\"KERNEL_LANGUAGE\":" + value)),
              "malformed: KERNEL_LANGUAGE is neither a text nor a number");
  }
  read(env(R"("KERNEL_CPUS":"$HOME")"));  // it goes nowhere
}

TEST(LaunchBody, RefusesMembersThatStandTwice) {
  for (const std::string_view body :
       {R"({"name":"a","name":"a"})", R"({"env":{},"env":{}})", R"({"env":{"A":1,"A":1}})",
        R"({"env":{"KERNEL_ID":"a","KERNEL\u005fID":"a"}})", R"({"x":[{"y":{"a":1,"a":2}}]})",
        R"({"n\u0061me":"a","name":"a"})"}) {
    EXPECT_EQ(fault(body), "malformed: the body has a member twice") << body;
  }
  read(R"({"x":[{"a":1},{"a":1}],"y":{"a":1}})");
}

TEST(LaunchBody, RefusesWhatIsNoJsonObject) {
  for (const std::string& body :
       {" "s, "{"s, "}"s, "{}{}"s, "{} x"s, "{'env':1}"s, "{\"a\":1,}"s, "{\"a\":NaN}"s, "{}\0"s,
        "{}\0{\"env\":1}"s, "{\"a\":\"\xff\"}"s, "{\"a\":\"\xed\xa0\x80\"}"s,
        "{\"a\":\"\\ud800\"}"s, "{/**/}"s, "{\"a\":1e999}"s}) {
    EXPECT_EQ(fault(body), "malformed: the body is no JSON") << body;
  }
  for (const std::string& body : {"null"s, "400"s, "\"{}\""s, "[]"s, "[{}]"s}) {
    EXPECT_EQ(fault(body), "malformed: the body is no JSON object") << body;
  }
  for (const std::string& body :
       {R"({"env":null})"s, R"({"env":[]})"s, R"({"env":"KERNEL_ID"})"s}) {
    EXPECT_EQ(fault(body), "malformed: the body has an env that is no object") << body;
  }
}

TEST(LaunchBody, TakesTheNameOfAKernelSpecOnly) {
  EXPECT_EQ(read(R"({"name":"spark_3.5-Py"})").spec(), "spark_3.5-Py");
  EXPECT_EQ(read("{}").spec(), "");
  for (const std::string& name : {"\"\""s, "\"../x\""s, "\"a b\""s, "\"a\\u0000\""s, "5"s, "null"s,
                                  "[]"s, "{}"s, '"' + std::string(129, 'a') + '"'}) {
    EXPECT_EQ(fault("{\"name\":" + name + "}"),
              "malformed: the body has a name that is no kernel spec's")
        << name;
  }
}

TEST(LaunchBody, KeepsTheClientsOwnId) {
  EXPECT_EQ(read(env(R"("KERNEL_ID":"mine")")).wanted_id(), "mine");
  EXPECT_EQ(read(R"({"kernel_id":"mine"})").wanted_id(), "mine");
  EXPECT_EQ(read(R"({"kernel_id":"mine","env":{"KERNEL_ID":"mine"}})").wanted_id(), "mine");
  EXPECT_EQ(fault(R"({"kernel_id":"mine","env":{"KERNEL_ID":"other"}})"),
            "malformed: the body names two kernel ids");
  EXPECT_EQ(fault(R"({"kernel_id":5})"),
            "malformed: the body has a kernel id that is no short text");
  EXPECT_EQ(fault(env(R"("KERNEL_ID":{})")),
            "malformed: the body has a kernel id that is no short text");
}

TEST(LaunchBody, IsBounded) {
  const auto nested = [](size_t arrays) {
    return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  read(nested(31));
  EXPECT_EQ(fault(nested(32)), "malformed: the body nests deeper than 32 levels");
  EXPECT_EQ(fault(nested(500'000)), "malformed: the body nests deeper than 32 levels");
  std::string many = "{\"a0\":0";
  for (size_t i = 1; i < limits::kLaunchMembersMax; ++i)
    many += ",\"a" + std::to_string(i) + "\":0";
  read(many + "}");
  EXPECT_EQ(fault(many + ",\"b\":0}"), "malformed: the body has too many members");
}

TEST(LaunchBody, PassesSparkOptionsOnlyWhereTheyAreListed) {
  const std::string body = env(R"("KERNEL_EXTRA_SPARK_OPTS":" --conf  spark.executor.memory=4g")");
  EXPECT_EQ(read(body).dropped_names(), "KERNEL_EXTRA_SPARK_OPTS");
  EXPECT_EQ(stamped(body), R"({"name":"python3",)" + kStamp + "}}");
  EXPECT_EQ(stamped(body, with_spark()),
            R"({"name":"python3",)" + kStamp +
                R"(,"KERNEL_EXTRA_SPARK_OPTS":"--conf spark.executor.memory=4g"}})");
  EXPECT_EQ(fault(env(R"("KERNEL_EXTRA_SPARK_OPTS":"--conf spark.jars=x")"), with_spark()),
            "denied: KERNEL_EXTRA_SPARK_OPTS sets a key that is not in spark_conf");
}

uint32_t timeout_of(const std::string& value) {
  return read(R"({"env":{"KERNEL_LAUNCH_TIMEOUT":)" + value + "}}").launch_timeout_ms(kFallbackMs);
}

TEST(LaunchTimeout, IsReadFromTextsAndNumbersWithinTheLimits) {
  EXPECT_EQ(timeout_of("\"300\""), 300'000u);
  EXPECT_EQ(timeout_of("\" 90 \""), 90'000u);
  EXPECT_EQ(timeout_of("\"90.5\""), 90'500u);
  EXPECT_EQ(timeout_of("61.25"), 61'250u);
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
       {"\"\""s, "\"soon\""s, "\"400s\""s, "\"0x10\""s, "\"nan\""s, "\"inf\""s, "\"1e999\""s}) {
    EXPECT_EQ(timeout_of(value), kFallbackMs) << value;
  }
  for (const std::string_view body : {"", "{}", R"({"env":{}})", R"({"KERNEL_LAUNCH_TIMEOUT":400})",
                                      R"({"x":{"KERNEL_LAUNCH_TIMEOUT":400}})",
                                      R"({"env":{"env":{"KERNEL_LAUNCH_TIMEOUT":400}}})",
                                      R"({"env":{"kernel_launch_timeout":400}})"}) {
    EXPECT_EQ(read(body).launch_timeout_ms(kFallbackMs), kFallbackMs) << body;
  }
}

TEST(KernelUsername, IsAShortPlainWord) {
  for (const std::string& good :
       {"a"s, "alice@example.com"s, "A.b_c+d-9"s, std::string(128, 'x')}) {
    EXPECT_TRUE(is_kernel_username(good)) << good;
  }
  for (const std::string& bad : {""s, std::string(129, 'x'), "al ice"s, "alice\n"s, "a/b"s, "a$b"s,
                                 "é"s, "a\0b"s, "a:b"s, "arn:aws:iam::1:user/x"s, "a|b"s}) {
    EXPECT_FALSE(is_kernel_username(bad)) << bad;
  }
}

}  // namespace kg::kernel::launch_body_test
