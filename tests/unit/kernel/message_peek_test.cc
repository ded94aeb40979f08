#include "proxy/kernel/message_peek.h"

#include <gtest/gtest.h>

#include "tests/unit/kernel/message_samples.h"

namespace kg::kernel::message_peek_test {

using samples::v1;

struct Expected {
  std::string_view message;  // legacy
  Speaker speaker;
  Channel channel;
  MessageType type;
  std::string_view type_name;
  ExecutionState state = ExecutionState::kUnknown;
};

const Expected kMessages[] = {
    {samples::kExecuteRequest, Speaker::kClient, Channel::kShell, MessageType::kExecuteRequest,
     "execute_request"},
    {samples::kBusy, Speaker::kGateway, Channel::kIopub, MessageType::kStatus, "status",
     ExecutionState::kBusy},
    {samples::kIdle, Speaker::kGateway, Channel::kIopub, MessageType::kStatus, "status",
     ExecutionState::kIdle},
    {samples::kExecuteInput, Speaker::kGateway, Channel::kIopub, MessageType::kExecuteInput,
     "execute_input"},
    {samples::kStream, Speaker::kGateway, Channel::kIopub, MessageType::kOutput, "stream"},
    {samples::kExecuteResult, Speaker::kGateway, Channel::kIopub, MessageType::kOutput,
     "execute_result"},
    {samples::kExecuteReply, Speaker::kGateway, Channel::kShell, MessageType::kExecuteReply,
     "execute_reply"},
    {samples::kInputRequest, Speaker::kGateway, Channel::kStdin, MessageType::kInputRequest,
     "input_request"},
    {samples::kInputReply, Speaker::kClient, Channel::kStdin, MessageType::kInputReply,
     "input_reply"},
    {samples::kCommOpen, Speaker::kGateway, Channel::kIopub, MessageType::kComm, "comm_open"},
};

void expect_same(const MessagePeek& peek, const Expected& expected) {
  const auto message = nlohmann::json::parse(expected.message);
  EXPECT_EQ(peek.channel, expected.channel);
  EXPECT_EQ(peek.type, expected.type);
  EXPECT_EQ(peek.type_name, expected.type_name);
  EXPECT_EQ(peek.state, expected.state);
  EXPECT_EQ(peek.id, message["header"]["msg_id"].get<std::string>());
  EXPECT_EQ(peek.parent_id, message["parent_header"].value("msg_id", ""));
  EXPECT_FALSE(peek.cut);
}

TEST(MessagePeekTest, ToldFromLegacyText) {
  for (const Expected& expected : kMessages) {
    SCOPED_TRACE(expected.type_name);
    expect_same(peek_message(Framing::kLegacy, expected.speaker, false, expected.message),
                expected);
  }
}

TEST(MessagePeekTest, ToldFromLegacyWithBuffers) {
  for (const Expected& expected : kMessages) {
    SCOPED_TRACE(expected.type_name);
    const std::string message = samples::with_buffers(expected.message, {"12345678", "", "x"});
    expect_same(peek_message(Framing::kLegacy, expected.speaker, true, message), expected);
  }
}

TEST(MessagePeekTest, ToldFromV1) {
  for (const Expected& expected : kMessages) {
    SCOPED_TRACE(expected.type_name);
    for (const auto& buffers : {std::vector<std::string>{}, {"buffer", ""}}) {
      const std::string message = v1(expected.message, buffers);
      expect_same(peek_message(Framing::kV1, expected.speaker, true, message), expected);
    }
  }
}

// What is not there yet is missing, and said to be; nothing is ever told wrongly.
TEST(MessagePeekTest, CutAtEveryByte) {
  for (const Expected& expected : kMessages) {
    SCOPED_TRACE(expected.type_name);
    for (const Framing framing : {Framing::kLegacy, Framing::kV1}) {
      const bool binary = framing == Framing::kV1;
      const std::string whole = binary ? v1(expected.message) : std::string(expected.message);
      const MessagePeek all = peek_message(framing, expected.speaker, binary, whole);
      bool known = false;
      for (size_t size = 0; size < whole.size(); ++size) {
        const std::string head = whole.substr(0, size);  // its own block: nothing behind it
        const MessagePeek peek = peek_message(framing, expected.speaker, binary, head);
        EXPECT_TRUE(peek.type == all.type || peek.type == MessageType::kUnknown) << size;
        EXPECT_TRUE(peek.state == all.state || peek.state == ExecutionState::kUnknown) << size;
        EXPECT_TRUE(peek.parent_id == all.parent_id || peek.parent_id.empty()) << size;
        if (peek.cut) continue;
        known = true;
        EXPECT_EQ(peek.type, all.type) << size;
        EXPECT_EQ(peek.state, all.state) << size;
        EXPECT_EQ(peek.channel, all.channel) << size;
        EXPECT_EQ(peek.id, all.id) << size;
        EXPECT_EQ(peek.parent_id, all.parent_id) << size;
      }
      EXPECT_TRUE(known || framing == Framing::kLegacy);
    }
  }
}

TEST(MessagePeekTest, ContentLies) {
  const std::string message =
      R"({"content":{"code":"\"header\": {\"msg_type\": \"status\"}",)"
      R"("header":{"msg_type":"status"},)"
      R"("execution_state":"idle","a":[{"msg_type":"error"},"}"]},"channel":"shell",)"
      R"("header":{"nested":{"msg_type":"status"},"msg_type":"execute_request","msg_id":"one"}})";
  const MessagePeek peek = peek_message(Framing::kLegacy, Speaker::kClient, false, message);
  EXPECT_EQ(peek.type, MessageType::kExecuteRequest);
  EXPECT_EQ(peek.id, "one");
  EXPECT_EQ(peek.state, ExecutionState::kUnknown);
}

TEST(MessagePeekTest, AContentBeforeTheHeaderTellsTheState) {
  const std::string message =
      R"({"content": {"execution_state" : "restarting"}, "parent_header": {}, "channel": "iopub",)"
      R"( "header": {"msg_type": "status", "msg_id": "1"}})";
  EXPECT_EQ(peek_message(Framing::kLegacy, Speaker::kGateway, false, message).state,
            ExecutionState::kRestarting);
}

TEST(MessagePeekTest, NothingIsMadeOfWhatIsNoKernelMessage) {
  const std::string table(8, '\xff');
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[1]"), std::string("hello"), table + table,
        std::string(R"({"header":7})"), std::string(R"({"header":{"msg_type":3}})"),
        std::string(56, '\0'), std::string("\6\0\0\0\0\0\0\0", 8) + std::string(60, '\x7f')}) {
    for (const Framing framing : {Framing::kLegacy, Framing::kV1}) {
      for (const bool binary : {false, true}) {
        const MessagePeek peek = peek_message(framing, Speaker::kGateway, binary, text);
        EXPECT_EQ(peek.type, MessageType::kUnknown) << text;
      }
    }
  }
}

// Clients that speak the framing that was not agreed on (domain G26).
TEST(MessagePeekTest, TheWrongFramingIsNotRead) {
  EXPECT_EQ(peek_message(Framing::kV1, Speaker::kClient, false, samples::kExecuteRequest).type,
            MessageType::kUnknown);
  EXPECT_EQ(
      peek_message(Framing::kLegacy, Speaker::kClient, true, v1(samples::kExecuteRequest)).type,
      MessageType::kUnknown);
}

TEST(MessagePeekTest, IdsHaveKeysOfTheirOwn) {
  EXPECT_NE(id_key({}), 0U);
  EXPECT_NE(id_key("a"), id_key("b"));
  EXPECT_NE(id_key("0f2c1f3e-5a36-4b7e-a4c6-111111111111_1"),
            id_key("0f2c1f3e-5a36-4b7e-a4c6-111111111111_2"));
}

}  // namespace kg::kernel::message_peek_test
