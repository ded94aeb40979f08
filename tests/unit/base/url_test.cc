#include "proxy/base/url.h"

#include <gtest/gtest.h>

namespace kg::url_test {

TEST(Url, IsReadInParts) {
  const ParsedUrl parsed = parse_url("https://Issuer.Test:8443/realms/a/keys?v=1");
  ASSERT_TRUE(parsed.url) << parsed.fault;
  EXPECT_EQ(*parsed.url, (Url{true, "issuer.test", 8443, "/realms/a/keys?v=1"}));
  EXPECT_EQ(parsed.url->origin(), "https://issuer.test:8443");
  EXPECT_EQ(parsed.url->text(), "https://issuer.test:8443/realms/a/keys?v=1");
}

TEST(Url, PortAndPathHaveDefaults) {
  EXPECT_EQ(*parse_url("https://a").url, (Url{true, "a", 443, "/"}));
  EXPECT_EQ(*parse_url("http://a").url, (Url{false, "a", 80, "/"}));
  EXPECT_EQ(*parse_url("https://a?x").url, (Url{true, "a", 443, "/?x"}));
}

TEST(Url, AddressesAreHosts) {
  EXPECT_EQ(parse_url("https://10.0.0.7:1/").url->host, "10.0.0.7");
  EXPECT_EQ(*parse_url("https://[2001:DB8::1]:8443/").url, (Url{true, "[2001:db8::1]", 8443, "/"}));
  EXPECT_EQ(parse_url("https://[::1]").url->port, 443);
}

TEST(Url, WhatTwoReadersCouldSplitInTwoWaysIsRefused) {
  for (const std::string text : {"",
                                 "issuer.test",
                                 "//issuer.test",
                                 "HTTPS://a/",
                                 "ftp://a/",
                                 "https:/a",
                                 "https://",
                                 "https:///a",
                                 "https://user@a/",
                                 "https://user:word@a/",
                                 "https://a@b:1/",
                                 "https://a/#x",
                                 "https://a#x",
                                 "https://a:/",
                                 "https://a:0/",
                                 "https://a:65536/",
                                 "https://a:1:2/",
                                 "https://a:x/",
                                 "https://a b/",
                                 "https://a/b c",
                                 "https://a/\\b",
                                 "https://a\\b/",
                                 "https://a/\x7f",
                                 "https://a/\r\nX: y",
                                 "https://a/\xc3\xa9",
                                 "https://\xc3\xa9/",
                                 "https://[::1/",
                                 "https://[]/",
                                 "https://[g::1]/",
                                 "https://::1/",
                                 "https://.a/",
                                 "https://-a/",
                                 "https://a..b/",
                                 "https://a%2e/",
                                 "https://a/[b]",
                                 "https://a/{b}",
                                 "https://a/\"",
                                 "https://a/<b>"}) {
    const ParsedUrl parsed = parse_url(text);
    EXPECT_FALSE(parsed.url) << text;
    EXPECT_NE(std::string(parsed.fault), "") << text;
  }
  EXPECT_FALSE(parse_url("https://a/" + std::string(2'048, 'x')).url);
}

}  // namespace kg::url_test
