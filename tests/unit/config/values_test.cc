#include "config/values.h"

#include <gmock/gmock.h>

#include "config/names.h"

namespace kg::config::values_test {

using testing::HasSubstr;
using namespace std::chrono_literals;

const KeyInfo& info(std::string_view path) {
  const KeyInfo* found = find_key(path);
  EXPECT_NE(found, nullptr);
  return *found;
}

TEST(Durations, TakeANumberAndAUnit) {
  const KeyInfo& deadline = info("drain.deadline");
  const auto parsed = [&](std::string_view text) { return parse_duration(text, deadline).value; };
  EXPECT_EQ(parsed("250ms"), 250ms);
  EXPECT_EQ(parsed("65s"), 65s);
  EXPECT_EQ(parsed("10m"), 10min);
  EXPECT_EQ(parsed("2h"), 2h);
  EXPECT_EQ(parsed("0s"), 0s);
  EXPECT_EQ(parsed("24h"), 24h);
  EXPECT_FALSE(parsed("25h"));
  EXPECT_FALSE(parsed("99999999999999999999s"));
  EXPECT_FALSE(parsed("18446744073709551615h"));
}

TEST(Durations, WrongUnitsAreExplained) {
  const KeyInfo& idle = info("alb.idle_timeout");
  const auto remedy = [&](std::string_view text) {
    const auto parsed = parse_duration(text, idle);
    EXPECT_FALSE(parsed.value) << text;
    return parsed.remedy;
  };
  EXPECT_EQ(remedy("60"), "add the unit: 60s or 60ms");
  EXPECT_EQ(remedy("60 s"), "write 60s");
  EXPECT_EQ(remedy("60S"), "write 60s");
  EXPECT_EQ(remedy("60sec"), "write 60s");
  EXPECT_EQ(remedy("5min"), "write 5m");
  EXPECT_EQ(remedy("5msec"), "write 5ms");
  EXPECT_EQ(remedy("1hour"), "write 1h");
  EXPECT_EQ(remedy("1d"), "there is no unit for days: one is 24h");
  EXPECT_THAT(remedy("1.5s"), HasSubstr("whole number"));
  EXPECT_THAT(remedy("1h30m"), HasSubstr("one number and one unit"));
  EXPECT_THAT(remedy("soon"), HasSubstr("a number and a unit"));
  EXPECT_THAT(remedy("-5s"), HasSubstr("a number and a unit"));
  EXPECT_EQ(remedy("3parsec"), "use one of the units ms, s, m, h");
  EXPECT_EQ(remedy("0s"), "write a value from 1s to 4000s");
  EXPECT_EQ(remedy("4001s"), "write a value from 1s to 4000s");
}

TEST(Integers, StayInTheirRange) {
  const KeyInfo& workers = info("workers");
  EXPECT_EQ(parse_workers("auto", workers).value, 0);
  EXPECT_EQ(parse_workers("64", workers).value, 64);
  for (const char* text : {"0", "65", "-1", "1.0", "0x10", "AUTO", "99999999999999999999"})
    EXPECT_FALSE(parse_workers(text, workers).value) << text;
}

TEST(Booleans, AreTrueOrFalse) {
  const KeyInfo& strip = info("endpoints[].strip_prefix");
  EXPECT_EQ(parse_boolean("true", strip).value, true);
  EXPECT_EQ(parse_boolean("false", strip).value, false);
  for (const char* text : {"yes", "no", "on", "off", "True", "1"})
    EXPECT_FALSE(parse_boolean(text, strip).value) << text;
}

TEST(Addresses, AreNumeric) {
  const KeyInfo& key = info("listeners[].address");
  const auto text = [&](std::string_view in) {
    const auto parsed = parse_address(in, key);
    return parsed.value ? address_text(*parsed.value) : "bad";
  };
  EXPECT_EQ(text("0.0.0.0:8443"), "0.0.0.0:8443");
  EXPECT_EQ(text("127.0.0.1:0"), "127.0.0.1:0");
  EXPECT_EQ(text("[::]:8443"), "[::]:8443");
  EXPECT_EQ(text("[2001:DB8:0::1]:65535"), "[2001:db8::1]:65535");
  for (const char* wrong :
       {"localhost:8443", "8443", ":8443", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:+1",
        "1.2.3.4: 1", "01.2.3.4:1", "[::1]", "::1:80", "[1.2.3.4]:80", "[::1:80",
        "[fe80::1%eth0]:80", "[", "[]:1", "]:1", ":", "1.2.3:80"})
    EXPECT_EQ(text(wrong), "bad") << wrong;
  EXPECT_FALSE(parse_pod_address("127.0.0.1:0", key).value);
  EXPECT_THAT(parse_pod_address("service: jeg:8888", key).problem,
              HasSubstr("not supported by this version"));
}

TEST(Ranges, AreCanonical) {
  const KeyInfo& key = info("listeners[].allow_sources");
  const auto text = [&](std::string_view in) {
    const auto parsed = parse_range(in, key);
    return parsed.value ? parsed.value->text : parsed.remedy;
  };
  EXPECT_EQ(text("10.0.0.0/8"), "10.0.0.0/8");
  EXPECT_EQ(text("0.0.0.0/0"), "0.0.0.0/0");
  EXPECT_EQ(text("10.1.2.3"), "10.1.2.3/32");
  EXPECT_EQ(text("::1"), "::1/128");
  EXPECT_EQ(text("2001:db8::/33"), "2001:db8::/33");
  EXPECT_EQ(text("10.1.2.3/8"), "write 10.0.0.0/8, or a longer prefix");
  EXPECT_EQ(text("10.128.0.0/8"), "write 10.0.0.0/8, or a longer prefix");
  for (const char* wrong :
       {"10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10/8", "vpc", "/8"})
    EXPECT_FALSE(parse_range(wrong, key).value) << wrong;
}

TEST(Hosts, AreLowerCaseDnsNames) {
  const KeyInfo& key = info("endpoints[].hosts");
  for (const char* right :
       {"a", "abc123.kernels.example.com", "localhost", "127.0.0.1", "x--y.test"})
    EXPECT_EQ(parse_host(right, key).value, right);
  for (const std::string& wrong :
       {std::string("A.test"), std::string("a.test:443"), std::string("https://a.test"),
        std::string("*.test"), std::string("a..test"), std::string("a.test."),
        std::string("-a.test"), std::string("a-.test"), std::string("a_b.test"),
        std::string(".test"), std::string("[::1]"), std::string("a b"), std::string(64, 'a'),
        std::string("\xC3\xA4.test")})
    EXPECT_FALSE(parse_host(wrong, key).value) << wrong;
  std::string longest;
  for (int i = 0; i < 126; ++i) longest += "a.";
  EXPECT_TRUE(parse_host(longest + "a", key).value);
  EXPECT_FALSE(parse_host(longest + "aa", key).value);
}

TEST(RouteHosts, MayBeAWildcardForTheFirstLabel) {
  const KeyInfo& key = info("endpoints[].hosts");
  for (const char* right : {"a.test", "*.test", "*.kernels.example.com"})
    EXPECT_EQ(parse_route_host(right, key).value, right);
  for (const char* wrong : {"*", "*.", "*test", "a.*.test", "*.*.test", "a.*", "*.A.test",
                            "*.a.test:443", "*.a..test", "**.test"})
    EXPECT_FALSE(parse_route_host(wrong, key).value) << wrong;
}

TEST(Prefixes, ArePlainLowerCasePaths) {
  const KeyInfo& key = info("endpoints[].path_prefix");
  for (const char* right : {"/abc123", "/a/b", "/a-b_c.d~e/0", "/healthy"})
    EXPECT_EQ(parse_path_prefix(right, key).value, right);
  for (const char* wrong : {"/", "a", "/a/", "//a", "/a//b", "/A", "/a/../b", "/.", "/a%20", "/a;b",
                            "/a?b", "/a b", "/healthz", "/readyz/x"})
    EXPECT_FALSE(parse_path_prefix(wrong, key).value) << wrong;
  EXPECT_FALSE(parse_path_prefix("/" + std::string(256, 'a'), key).value);
}

TEST(Identifiers, FollowTheirGrammar) {
  const KeyInfo& key = info("endpoints[].id");
  EXPECT_TRUE(parse_endpoint_id(std::string(64, 'a'), key).value);
  EXPECT_FALSE(parse_endpoint_id(std::string(65, 'a'), key).value);
  for (const char* wrong : {"A", "a-b", "a.b", "a b", "\xC3\xA4"})
    EXPECT_FALSE(parse_endpoint_id(wrong, key).value) << wrong;
  EXPECT_TRUE(parse_dns_label("team-1", key).value);
  for (const char* wrong : {"-a", "a-", "a.b", "A", "a_b"})
    EXPECT_FALSE(parse_dns_label(wrong, key).value) << wrong;
  for (const char* right : {"arn:aws:iam::111122223333:role/analytics",
                            "arn:aws-us-gov:iam::111122223333:role/path/My+Role=@x"})
    EXPECT_TRUE(parse_role_arn(right, key).value) << right;
  for (const char* wrong :
       {"analytics", "arn:aws:iam::1111:role/x", "arn:aws:iam::111122223333:user/x",
        "arn:aws:iam::111122223333:role/", "arn:aws:s3::111122223333:role/x",
        "arn:aws:iam::11112222333a:role/x", "arn:aws", "arn:aws:iam::111122223333:role/a b"})
    EXPECT_FALSE(parse_role_arn(wrong, key).value) << wrong;
}

}  // namespace kg::config::values_test
