#include "proxy/kernel/message_shape.h"

#include <gtest/gtest.h>

#include "tests/unit/kernel/message_samples.h"

namespace kg::kernel::message_shape_test {

using samples::v1;

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const size_t at = out.find(from);
  EXPECT_NE(at, std::string::npos);
  return out.replace(at, from.size(), to);
}

void learn(MessageShape& shape, Framing framing, Speaker speaker, std::string_view text) {
  shape.learn(text, peek_message(framing, speaker, framing == Framing::kV1, text));
}

PayloadBytes plain(std::string_view text) { return {text.data(), text.size(), 0}; }

class MessageShapeTest : public testing::TestWithParam<Framing> {
 protected:
  std::string framed(std::string_view legacy) const {
    return GetParam() == Framing::kV1 ? v1(legacy) : std::string(legacy);
  }
  MessageShape shape_{false};
};
INSTANTIATE_TEST_SUITE_P(Framings, MessageShapeTest,
                         testing::Values(Framing::kLegacy, Framing::kV1));

TEST_P(MessageShapeTest, NothingIsKnownAtFirst) {
  const std::string message = framed(samples::kStream);
  EXPECT_EQ(shape_.find<false>(plain(message)), nullptr);
  EXPECT_EQ(shape_.find<false>(plain("")), nullptr);
}

TEST_P(MessageShapeTest, TheNextOfItsKindIsKnownAndSoIsItsCell) {
  const std::string first = framed(samples::kStream);
  learn(shape_, GetParam(), Speaker::kGateway, first);
  const std::string parent(
      peek_message(GetParam(), Speaker::kGateway, GetParam() == Framing::kV1, first).parent_id);
  std::string other = parent;
  other.back() = other.back() == 'x' ? 'y' : 'x';
  const std::string next = replaced(replaced(first, parent, other), "xxxx", "somewhat longer");
  const MessageShape::Slot* slot = shape_.find<false>(plain(next));
  ASSERT_NE(slot, nullptr);
  EXPECT_EQ(slot->type, MessageType::kOutput);
  EXPECT_EQ(slot->channel, Channel::kIopub);
  EXPECT_EQ(shape_.cell<false>(*slot, plain(next)), id_key(other));
  EXPECT_EQ(shape_.cell<false>(*slot, plain(first)), id_key(parent));
}

TEST_P(MessageShapeTest, StatesAreReadFromTheEnd) {
  learn(shape_, GetParam(), Speaker::kGateway, framed(samples::kBusy));
  const std::string busy = framed(samples::kBusy);
  const std::string idle = replaced(busy, "\"busy\"", "\"idle\"");
  const std::string dead = replaced(busy, "\"busy\"", "\"dead\"");
  const MessageShape::Slot* slot = shape_.find<false>(plain(busy));
  ASSERT_NE(slot, nullptr);
  EXPECT_EQ(shape_.state(*slot, plain(busy)), ExecutionState::kBusy);
  EXPECT_EQ(shape_.state(*slot, plain(idle)), ExecutionState::kIdle);
  EXPECT_EQ(shape_.state(*slot, plain(dead)), ExecutionState::kUnknown);  // to be looked at
}

TEST_P(MessageShapeTest, AnotherTypeOrPlaceIsNotKnown) {
  const std::string stream = framed(samples::kStream);
  learn(shape_, GetParam(), Speaker::kGateway, stream);
  EXPECT_EQ(shape_.find<false>(plain(framed(samples::kBusy))), nullptr);
  EXPECT_EQ(shape_.find<false>(plain("x" + stream)), nullptr);
  EXPECT_EQ(shape_.find<false>(plain(replaced(stream, "\"msg_type", "\"msg_tipe"))), nullptr);
  EXPECT_EQ(shape_.find<false>(plain(replaced(stream, "\"stream\"", "\"streak\""))), nullptr);
}

// No byte outside is read: each prefix is a block of its own.
TEST_P(MessageShapeTest, ShortMessagesAreNotRead) {
  const std::string busy = framed(samples::kBusy);
  learn(shape_, GetParam(), Speaker::kGateway, busy);
  for (size_t size = 0; size < busy.size(); ++size) {
    const std::unique_ptr<char[]> block(new char[size]);
    std::memcpy(block.get(), busy.data(), size);
    const PayloadBytes message{block.get(), size, 0};
    const MessageShape::Slot* slot = shape_.find<false>(message);
    if (slot == nullptr) continue;
    shape_.cell<false>(*slot, message);
    EXPECT_EQ(shape_.state(*slot, message), ExecutionState::kUnknown) << size;
  }
}

TEST_P(MessageShapeTest, MaskedRequestsAreKnownWhateverTheirCode) {
  MessageShape shape(GetParam() == Framing::kLegacy);
  const std::string first = framed(samples::kExecuteRequest);
  learn(shape, GetParam(), Speaker::kClient, first);
  const std::string id(
      peek_message(GetParam(), Speaker::kClient, GetParam() == Framing::kV1, first).id);
  for (const std::string_view code : {"2", "22", "333", "4444", "a longer cell\\nwith lines"}) {
    std::string masked = replaced(first, "1+1", code);
    // v1 tables name sizes, not shapes: only the code's end moves.
    const uint32_t mask = 0x7f01'80ff;
    for (size_t i = 0; i < masked.size(); ++i) {
      masked[i] = static_cast<char>(masked[i] ^ static_cast<char>(mask >> (8 * (i % 4))));
    }
    const PayloadBytes message{masked.data(), masked.size(), mask};
    const MessageShape::Slot* slot = shape.find<true>(message);
    ASSERT_NE(slot, nullptr) << code;
    EXPECT_EQ(slot->type, MessageType::kExecuteRequest);
    EXPECT_EQ(shape.cell<true>(*slot, message), id_key(id));
  }
}

}  // namespace kg::kernel::message_shape_test
