#include "proxy/websocket/close_frame.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/websocket/frame_scanner.h"

namespace kg::websocket {
namespace {

using namespace std::string_literals;

std::string unmask(const std::string& frame) {
  std::string payload = frame.substr(6);
  for (size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ frame[2 + i % 4]);
  return payload;
}

TEST(CloseFrame, CarriesCodeAndReason) {
  EXPECT_EQ(close_frame(1011, "gone"), "\x88\x06\x03\xf3gone"s);
  EXPECT_EQ(close_frame(1000, ""), "\x88\x02\x03\xe8"s);
}

TEST(CloseFrame, IsMaskedTowardsAGateway) {
  const std::string frame = masked_close_frame(1012, "restart");
  ASSERT_EQ(frame.size(), 6u + 9u);
  EXPECT_EQ(frame.substr(0, 2), "\x88\x89"s);
  EXPECT_EQ(unmask(frame), "\x03\xf4restart"s);
}

TEST(CloseFrame, TakesANewMaskEachTime) {
  const std::string first = masked_close_frame(1000, "");
  bool differs = false;
  for (int i = 0; i < 8; ++i) differs = differs || masked_close_frame(1000, "") != first;
  EXPECT_TRUE(differs);
}

TEST(CloseFrame, CutsTheReasonAtACharacter) {
  EXPECT_EQ(close_frame(1000, std::string(200, 'a')).size(), 2u + 125u);
  EXPECT_EQ(close_frame(1000, std::string(123, 'a')).size(), 2u + 125u);
  // U+20AC is three bytes: the last one whole ends at 123, at 122 or at 121.
  const std::string euros = "\u20ac\u20ac\u20ac";
  for (const size_t before : {120u, 121u, 122u}) {
    const std::string frame = close_frame(1000, std::string(before, 'a') + euros);
    const size_t whole = before == 120 ? 123 : before;
    EXPECT_EQ(frame.size(), 4 + whole);
    EXPECT_EQ(static_cast<unsigned char>(frame[1]), frame.size() - 2);
  }
  EXPECT_EQ(close_frame(1000, std::string(200, '\x80')).size(), 4u) << "no character at all";
}

TEST(CloseFrame, NeverSendsReservedCodes) {
  for (const uint16_t code : {uint16_t{1005}, uint16_t{1006}, uint16_t{1015}}) {
    EXPECT_EQ(close_frame(code, "reason"), "\x88\x00"s);
    EXPECT_EQ(masked_close_frame(code, "reason").size(), 6u);
  }
}

TEST(CloseFrame, IsReadByTheScanner) {
  for (const std::string& frame : {close_frame(1001, "drain"), masked_close_frame(1001, "drain")}) {
    FrameScanner scanner;
    scanner.scan(frame);
    EXPECT_TRUE(scanner.between_messages());
    EXPECT_EQ(scanner.close_code(), 1001);
  }
}

}  // namespace
}  // namespace kg::websocket
