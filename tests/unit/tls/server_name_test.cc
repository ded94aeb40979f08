#include "proxy/tls/server_name.h"

#include <gtest/gtest.h>

#include <string>

namespace kg::tls::server_name_test {

std::string extension_of(const std::string& name, char type = 0) {
  const auto length = [](size_t size) {
    return std::string{static_cast<char>(size >> 8), static_cast<char>(size & 0xff)};
  };
  const std::string entry = type + length(name.size()) + name;
  return length(entry.size()) + entry;
}

TEST(ServerName, IsTheOneHostName) {
  EXPECT_EQ(server_name_of(extension_of("a.test")), "a.test");
  EXPECT_EQ(server_name_of(extension_of(std::string(255, 'a'))), std::string(255, 'a'));
}

TEST(ServerName, IsNoneWhereAnythingIsWrong) {
  const std::string good = extension_of("a.test");
  for (size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_EQ(server_name_of(good.substr(0, cut)), "") << cut;
  }
  EXPECT_EQ(server_name_of(good + "x"), "");
  EXPECT_EQ(server_name_of(extension_of("a.test", 1)), "");
  EXPECT_EQ(server_name_of(extension_of(std::string(256, 'a'))), "");
  EXPECT_EQ(server_name_of(extension_of(std::string("a\0b", 3))), "");
  EXPECT_EQ(server_name_of(extension_of("")), "");
}

}  // namespace kg::tls::server_name_test
