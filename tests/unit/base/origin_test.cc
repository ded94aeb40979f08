#include "proxy/base/origin.h"

#include <gtest/gtest.h>

#include <string>

namespace kg::origin_test {

TEST(SplitOrigin, TakesWhatBrowsersWrite) {
  const auto plain = split_origin("https://lab.example.com");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "lab.example.com");
  EXPECT_EQ(plain->port, 443);
  const auto port = split_origin("https://xn--bcher-kva.example:18888");
  ASSERT_TRUE(port);
  EXPECT_EQ(port->host, "xn--bcher-kva.example");
  EXPECT_EQ(port->port, 18888);
  EXPECT_EQ(split_origin("https://[2001:db8::1]:8443")->host, "[2001:db8::1]");
  EXPECT_EQ(split_origin("https://127.0.0.1:1")->port, 1);
}

TEST(SplitOrigin, OneOriginHasOneSpelling) {
  for (const char* bad : {"",
                          "null",
                          "https://",
                          "http://lab.example.com",
                          "HTTPS://lab.example.com",
                          "https://Lab.example.com",
                          "https://lab.example.com/",
                          "https://lab.example.com:443",
                          "https://lab.example.com:",
                          "https://lab.example.com:0",
                          "https://lab.example.com:08443",
                          "https://lab.example.com:65536",
                          "https://lab.example.com:+1",
                          "https://.example.com",
                          "https://example.com.",
                          "https://a..b",
                          "https://user@lab.example.com",
                          "https://lab.example.com https://b.example",
                          "https://lab.example.com#",
                          "https://a b",
                          "https://[::1",
                          "https://::1",
                          "https://[]",
                          "https://[::1]x",
                          "https://[::1]:",
                          "lab.example.com",
                          "https://b\xc3\xbc"
                          "cher.example",
                          "chrome-extension://abc",
                          "https://*.example.com"}) {
    EXPECT_FALSE(split_origin(bad)) << bad;
  }
  EXPECT_FALSE(split_origin("https://" + std::string(254, 'a')));
}

}  // namespace kg::origin_test
