#include "proxy/websocket/message_frame.h"

#include <gtest/gtest.h>

#include "proxy/websocket/frame_scanner.h"

namespace kg::websocket::message_frame_test {

TEST(MessageFrame, IsOneWholeUnmaskedMessageOfAnyShortLength) {
  for (const size_t size : {0U, 1U, 125U, 126U, 127U, 255U, 256U, 65535U}) {
    const std::string payload(size, 'x');
    const std::string frame = message_frame(MessageKind::kText, payload);
    FrameScanner scanner;
    EXPECT_EQ(scanner.scan(frame), frame.size());
    EXPECT_TRUE(scanner.between_messages()) << size;
    EXPECT_EQ(scanner.messages(), 1U) << size;
    EXPECT_EQ(frame.substr(frame.size() - size), payload);
    EXPECT_EQ(frame.size() - size, size > 125 ? 4U : 2U) << "the shortest form, no mask";
  }
}

TEST(MessageFrame, SaysWhetherItIsText) {
  EXPECT_EQ(message_frame(MessageKind::kText, "a"),
            "\x81\x01"
            "a");
  EXPECT_EQ(message_frame(MessageKind::kBinary, "a"),
            "\x82\x01"
            "a");
}

TEST(MessagePayload, IsWhatTheFramesOfOneMessageHold) {
  using namespace std::string_literals;
  EXPECT_EQ(message_payload("\x81\x05hello"s), "hello");
  EXPECT_EQ(message_payload("\x01\x03one\x89\x04ping\x00\x00\x80\x7e\x00\x03two"s), "onetwo");
  EXPECT_EQ(message_payload(message_frame(MessageKind::kText, std::string(300, 'x'))),
            std::string(300, 'x'));
}

TEST(MessagePayload, IsNothingForAnythingElse) {
  using namespace std::string_literals;
  for (const std::string& frames : {""s, "\x81"s, "\x81\x05hell"s, "\x01\x03one"s, "\xc1\x01x"s,
                                    "\x81\x81....x"s, "\x81\x01x\x81\x01y"s, "\x81\x7e\x01"s,
                                    "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xffx"s, "\x89\x00"s}) {
    EXPECT_EQ(message_payload(frames), std::nullopt) << testing::PrintToString(frames);
  }
}

}  // namespace kg::websocket::message_frame_test
