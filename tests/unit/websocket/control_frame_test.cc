#include "proxy/websocket/control_frame.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/websocket/frame_scanner.h"

namespace kg::websocket::control_frame_test {

using namespace std::string_literals;

std::string unmask(const std::string& frame) {
  std::string payload = frame.substr(6);
  for (size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ frame[2 + i % 4]);
  return payload;
}

TEST(CloseFrame, CarriesCodeAndReason) {
  EXPECT_EQ(close_frame(1011, "gone", Masking::kNone), "\x88\x06\x03\xf3gone"s);
  EXPECT_EQ(close_frame(1000, "", Masking::kNone), "\x88\x02\x03\xe8"s);
}

TEST(CloseFrame, IsMaskedTowardsAGateway) {
  const std::string frame = close_frame(1012, "restart", Masking::kRandom);
  ASSERT_EQ(frame.size(), 6u + 9u);
  EXPECT_EQ(frame.substr(0, 2), "\x88\x89"s);
  EXPECT_EQ(unmask(frame), "\x03\xf4restart"s);
}

TEST(CloseFrame, TakesANewMaskEachTime) {
  const std::string first = close_frame(1000, "", Masking::kRandom);
  bool differs = false;
  for (int i = 0; i < 8; ++i) differs = differs || close_frame(1000, "", Masking::kRandom) != first;
  EXPECT_TRUE(differs);
}

TEST(CloseFrame, CutsTheReasonAtACharacter) {
  EXPECT_EQ(close_frame(1000, std::string(200, 'a'), Masking::kNone).size(), 2u + 125u);
  EXPECT_EQ(close_frame(1000, std::string(123, 'a'), Masking::kNone).size(), 2u + 125u);
  // U+20AC is three bytes: the last one whole ends at 123, at 122 or at 121.
  const std::string euros = "\u20ac\u20ac\u20ac";
  for (const size_t before : {120u, 121u, 122u}) {
    const std::string frame = close_frame(1000, std::string(before, 'a') + euros, Masking::kNone);
    const size_t whole = before == 120 ? 123 : before;
    EXPECT_EQ(frame.size(), 4 + whole);
    EXPECT_EQ(static_cast<unsigned char>(frame[1]), frame.size() - 2);
  }
  EXPECT_EQ(close_frame(1000, std::string(200, '\x80'), Masking::kNone).size(), 4u)
      << "no character at all";
}

TEST(CloseFrame, NeverSendsReservedCodes) {
  for (const uint16_t code : {uint16_t{1005}, uint16_t{1006}, uint16_t{1015}}) {
    EXPECT_EQ(close_frame(code, "reason", Masking::kNone), "\x88\x00"s);
    EXPECT_EQ(close_frame(code, "reason", Masking::kRandom).size(), 6u);
  }
}

TEST(CloseFrame, IsReadByTheScanner) {
  for (const std::string& frame :
       {close_frame(1001, "drain", Masking::kNone), close_frame(1001, "drain", Masking::kRandom)}) {
    FrameScanner scanner;
    scanner.scan(frame);
    EXPECT_TRUE(scanner.between_messages());
    EXPECT_EQ(scanner.close_code(), 1001);
  }
}

TEST(PingFrame, CarriesItsPayload) {
  EXPECT_EQ(ping_frame("12345678", Masking::kNone),
            "\x89\x08"
            "12345678"s);
  const std::string masked = ping_frame("12345678", Masking::kRandom);
  EXPECT_EQ(masked.substr(0, 2), "\x89\x88"s);
  EXPECT_EQ(unmask(masked), "12345678");
}

}  // namespace kg::websocket::control_frame_test
