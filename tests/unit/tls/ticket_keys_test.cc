#include "proxy/tls/ticket_keys.h"

#include <gmock/gmock.h>

#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"

namespace kg::tls::ticket_keys_test {

using testing::HasSubstr;
using testing::Not;

std::string key_line(char fill) { return ascii::base64_encode(std::string(80, fill)); }

std::string fault_of(const std::string& text) {
  std::string error;
  EXPECT_EQ(TicketKeys::parse(text, error), nullptr);
  return error;
}

TEST(TicketKeys, AFileHasOneKeyALine) {
  std::string error;
  const auto one = TicketKeys::parse(key_line('a'), error);
  ASSERT_NE(one, nullptr) << error;
  const std::string file = "# the new one\n" + key_line('a') + "\r\n\n  " + key_line('\xfb') + "\n";
  const auto two = TicketKeys::parse(file, error);
  ASSERT_NE(two, nullptr) << error;
  EXPECT_FALSE(one->same_keys(*two));
  EXPECT_TRUE(two->same_keys(*TicketKeys::parse(file, error)));
}

TEST(TicketKeys, WhatIsWrongIsSaidWithoutTheText) {
  EXPECT_EQ(fault_of(""), "holds no key");
  EXPECT_EQ(fault_of("# only words\n"), "holds no key");
  const std::string short_line = ascii::base64_encode(std::string(48, 's'));
  EXPECT_EQ(fault_of(key_line('a') + "\n" + short_line), "line 2 is not 80 bytes in base64");
  EXPECT_THAT(fault_of(short_line), Not(HasSubstr(short_line.substr(0, 4))));
  EXPECT_EQ(fault_of("\n\n!" + key_line('a')), "line 3 is not 80 bytes in base64");
  EXPECT_EQ(fault_of(key_line('a') + "\n\n" + key_line('a')),
            "line 3 begins with the same 16 bytes as an earlier key");
}

TEST(TicketKeys, AFileHasAtMostSixteen) {
  std::string file;
  for (size_t i = 0; i < limits::kTicketKeysMax; ++i)
    file += key_line(static_cast<char>('a' + i)) + "\n";
  std::string error;
  EXPECT_NE(TicketKeys::parse(file, error), nullptr) << error;
  EXPECT_EQ(fault_of(file + key_line('Z')), "line 17 is one key more than 16");
}

TEST(TicketKeys, RandomOnesDiffer) {
  EXPECT_FALSE(TicketKeys::random()->same_keys(*TicketKeys::random()));
}

}  // namespace kg::tls::ticket_keys_test
