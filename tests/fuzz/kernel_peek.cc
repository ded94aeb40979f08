// What a kernel message is, from its first bytes: views lie within them, a longer head never tells
// otherwise than a shorter one that was not cut, and what a shape was learned from has that shape.
#include "proxy/kernel/message_peek.h"
#include "proxy/kernel/message_shape.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using kernel::Framing;
using kernel::MessagePeek;
using kernel::MessageShape;
using kernel::PayloadBytes;
using kernel::Speaker;

std::unique_ptr<char[]> block(std::string_view text) {
  auto out = std::make_unique_for_overwrite<char[]>(text.size());
  std::memcpy(out.get(), text.data(), text.size());
  return out;
}

void check_shape(std::string_view text, const MessagePeek& known, bool from_end) {
  MessageShape shape(from_end);
  const PayloadBytes message{text.data(), text.size(), 0};
  KG_ASSERT(shape.find<false>(message) == nullptr);
  shape.learn(text, known);
  const MessageShape::Slot* slot = shape.find<false>(message);
  if (slot != nullptr && slot->type != kernel::MessageType::kUnknown) {
    KG_ASSERT(slot->type == known.type && slot->channel == known.channel);
    const uint64_t cell = shape.cell<false>(*slot, message);
    KG_ASSERT(cell == 0 || cell == kernel::id_key(known.parent_id) ||
              cell == kernel::id_key(known.id));
    const auto state = shape.state(*slot, message);
    KG_ASSERT(state == kernel::ExecutionState::kUnknown || state == known.state);
  }
  // Others are only asked for, wherever they end.
  for (size_t size = 0; size < text.size(); size += 1 + text.size() / 16) {
    const auto part = block(text.substr(0, size));
    const PayloadBytes shorter{part.get(), size, 0x5a00'11ff};
    const MessageShape::Slot* found = shape.find<true>(shorter);
    if (found != nullptr) shape.cell<true>(*found, shorter);
    const PayloadBytes bare{part.get(), size, 0};
    found = shape.find<false>(bare);
    if (found != nullptr) shape.state(*found, bare);
  }
}

void check(Framing framing, Speaker speaker, bool binary, std::string_view text) {
  const MessagePeek all = kernel::peek_message(framing, speaker, binary, text);
  for (const std::string_view view : {all.type_name, all.id, all.parent_id, all.state_name}) {
    KG_ASSERT(is_within(view, text));
  }
  KG_ASSERT((all.type == kernel::MessageType::kUnknown) == (all.type_name.data() == nullptr));
  const size_t cut = text.empty() ? 0 : hash(text) % text.size();
  const auto begin = block(text.substr(0, cut));
  const MessagePeek head = kernel::peek_message(framing, speaker, binary, {begin.get(), cut});
  if (!head.cut && head.type != kernel::MessageType::kUnknown) {
    KG_ASSERT(head.type == all.type && head.state == all.state && head.id == all.id);
  }
  check_shape(text, all, speaker == Speaker::kClient && framing == Framing::kLegacy);
}

}  // namespace

void run(std::string_view input) {
  const auto text = block(input);
  for (const Framing framing : {Framing::kLegacy, Framing::kV1}) {
    for (const Speaker speaker : {Speaker::kClient, Speaker::kGateway}) {
      for (const bool binary : {false, true}) {
        check(framing, speaker, binary, {text.get(), input.size()});
      }
    }
  }
}

}  // namespace kg::fuzz
