#include "proxy/event/address.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace kg::event::address_test {

SocketAddress at(const std::string& host, uint16_t port = 0) {
  const auto address = SocketAddress::parse(host, port);
  EXPECT_TRUE(address.has_value()) << host;
  return address.value_or(SocketAddress());
}

bool contains(const std::string& range, const std::string& host) {
  AddressRanges ranges;
  EXPECT_TRUE(ranges.add(range)) << range;
  return ranges.contains(at(host));
}

TEST(SocketAddress, ParsesNumericAddresses) {
  EXPECT_EQ(at("10.1.2.3", 443).text(), "10.1.2.3:443");
  EXPECT_EQ(at("10.1.2.3", 443).host_text(), "10.1.2.3");
  EXPECT_EQ(at("10.1.2.3", 443).port(), 443);
  EXPECT_EQ(at("10.1.2.3").family(), AF_INET);
  EXPECT_EQ(at("::1", 8443).text(), "[::1]:8443");
  EXPECT_EQ(at("2001:DB8::A", 65535).text(), "[2001:db8::a]:65535");
  EXPECT_EQ(at("::1").family(), AF_INET6);
}

TEST(SocketAddress, RefusesWhatIsNoNumericAddress) {
  for (const char* text : {"", "localhost", "10.0.0", "10.0.0.256", "10.0.0.1:80", " 10.0.0.1",
                           "10.0.0.1 ", "010.0.0.1", "0x7f.0.0.1", "[::1]", "::1%lo", ":::", "1"}) {
    EXPECT_FALSE(SocketAddress::parse(text, 1)) << text;
  }
}

TEST(SocketAddress, MappedAddressesReadAsIpv4) {
  EXPECT_EQ(at("::ffff:10.1.2.3", 80).host_text(), "10.1.2.3");
  EXPECT_EQ(at("::ffff:10.1.2.3", 80).text(), "10.1.2.3:80");
  EXPECT_EQ(at("::ffff:10.1.2.3").bytes16(), at("10.1.2.3").bytes16());
  EXPECT_NE(at("::10.1.2.3").bytes16(), at("10.1.2.3").bytes16());
}

TEST(SocketAddress, AnEmptyOneHasNoText) { EXPECT_EQ(SocketAddress().host_text(), ""); }

TEST(AddressRanges, EndAtTheirPrefix) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(contains("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(contains("192.168.4.0/22", "192.168.8.0"));
  EXPECT_FALSE(contains("192.168.4.0/22", "192.168.3.255"));
  EXPECT_TRUE(contains("192.168.0.128/25", "192.168.0.128"));
  EXPECT_FALSE(contains("192.168.0.128/25", "192.168.0.127"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(AddressRanges, OneAddressIsARange) {
  for (const char* range : {"10.0.0.1", "10.0.0.1/32"}) {
    EXPECT_TRUE(contains(range, "10.0.0.1"));
    EXPECT_FALSE(contains(range, "10.0.0.0"));
  }
  for (const char* range : {"fe80::1", "fe80::1/128"}) {
    EXPECT_TRUE(contains(range, "fe80::1"));
    EXPECT_FALSE(contains(range, "fe80::"));
  }
}

TEST(AddressRanges, ZeroBitsHoldTheWholeFamily) {
  EXPECT_TRUE(contains("0.0.0.0/0", "255.255.255.255"));
  EXPECT_TRUE(contains("0.0.0.0/0", "0.0.0.0"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(contains("::/0", "2001:db8::1"));
  EXPECT_TRUE(contains("::/0", "::"));
}

TEST(AddressRanges, HoldMappedAddressesAsIpv4) {
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.9.9.9"));
  EXPECT_FALSE(contains("10.0.0.0/8", "::ffff:11.9.9.9"));
  EXPECT_FALSE(contains("10.0.0.0/8", "::10.9.9.9"));
  EXPECT_TRUE(contains("::ffff:10.0.0.0/104", "10.9.9.9"));
}

TEST(AddressRanges, RefuseTextThatIsNoRange) {
  AddressRanges ranges;
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
                           "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/x", "10.0.0/8", "example.com/8",
                           "::/129", "::1/999999999999", "10.0.0.0/255.0.0.0"}) {
    EXPECT_FALSE(ranges.add(text)) << text;
  }
  EXPECT_TRUE(ranges.empty());
  EXPECT_FALSE(ranges.contains(at("10.0.0.0")));
}

TEST(AddressRanges, AnyOfThemIsEnough) {
  AddressRanges ranges;
  ASSERT_TRUE(ranges.add("10.0.0.0/8"));
  ASSERT_TRUE(ranges.add("fd00::/8"));
  EXPECT_FALSE(ranges.empty());
  EXPECT_FALSE(ranges.add("bad"));
  EXPECT_TRUE(ranges.contains(at("10.0.0.1")));
  EXPECT_TRUE(ranges.contains(at("fd00::1")));
  EXPECT_FALSE(ranges.contains(at("127.0.0.1")));
}

}  // namespace kg::event::address_test
