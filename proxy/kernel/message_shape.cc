#include "proxy/kernel/message_shape.h"

namespace kg::kernel {
namespace {

constexpr size_t kFarthest = 0xffff;

}  // namespace

void MessageShape::learn(std::string_view text, const MessagePeek& known) noexcept {
  const PayloadBytes message{text.data(), text.size()};
  // Others are said on more than one channel.
  if (known.type == MessageType::kUnknown || known.type == MessageType::kOther) return;
  const auto begin_of = [text](std::string_view value) {
    return static_cast<size_t>(value.data() - text.data());
  };
  const size_t type_begin = begin_of(known.type_name) - 1;
  const size_t type_at = from_end_ ? text.size() - type_begin : type_begin;
  if (text.size() - type_begin < 16 || type_at < 16 || type_at > kFarthest) return;
  if (type_begin < 8) return;
  Slot slot;
  slot.type_first = word(message, type_begin);
  slot.type_second = word(message, type_begin + 8);
  slot.short_type = known.type_name.size() + 2 <= sizeof slot.type_first;
  slot.type = known.type;
  slot.channel = known.channel;
  const std::string_view id =
      known.type == MessageType::kExecuteRequest ? known.id : known.parent_id;
  if (id.size() >= 8) {
    const size_t begin = begin_of(id);
    const size_t at = from_end_ ? text.size() - begin : begin;
    const size_t behind = text.size() - begin - id.size();
    if (begin >= 8 && behind >= 8 && at <= kFarthest && id.size() <= kFarthest) {
      slot.id_at = static_cast<uint16_t>(at);
      slot.id_size = static_cast<uint16_t>(id.size());
      before_id_ = word(message, begin - 8);
      behind_id_ = word(message, begin + id.size());
    }
  }
  if (!known.state_name.empty()) {
    const size_t begin = begin_of(known.state_name);
    const size_t at = text.size() - begin;
    if (begin >= 8 && at <= kFarthest) {
      slot.state_at = static_cast<uint16_t>(at);
      before_state_ = word(message, begin - 8);
    }
  }
  type_at_ = static_cast<uint32_t>(type_at);
  before_type_ = word(message, type_begin - 8);
  keep(slot);
}

void MessageShape::keep(const Slot& slot) noexcept {
  size_t i = slot_of(slot.type_first, slot.type_second);
  const auto is_other = [&](const Slot& each) {
    return each.type_first != slot.type_first || each.type_second != slot.type_second;
  };
  while (slots_[i].type_first != 0 && is_other(slots_[i])) i = (i + 1) % kSlots;
  if (slots_[i].type_first == 0) {
    if (types_ == kTypesMax) {
      slots_ = {};
      types_ = 0;
      i = slot_of(slot.type_first, slot.type_second);
    }
    ++types_;
  }
  slots_[i] = slot;
}

}  // namespace kg::kernel
