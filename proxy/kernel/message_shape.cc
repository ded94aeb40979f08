#include "proxy/kernel/message_shape.h"

namespace kg::kernel {
namespace {

constexpr size_t kFarthest = 0xffff;

}  // namespace

void MessageShape::mark(const Slot& slot) noexcept {
  const std::string_view name(reinterpret_cast<const char*>(&slot.type_first),
                              sizeof slot.type_first);
  marked_ = name.find('"') == std::string_view::npos ? 0 : slot.type_first;
}

void MessageShape::learn(std::string_view text, const MessagePeek& known) noexcept {
  const PayloadBytes message{text.data(), text.size()};
  if (known.type_name.empty()) return;
  const auto begin_of = [text](std::string_view value) {
    return static_cast<size_t>(value.data() - text.data());
  };
  const size_t type_begin = begin_of(known.type_name);
  const size_t type_at = from_end_ ? text.size() - type_begin : type_begin;
  if (type_begin < 8 || text.size() - type_begin < 16 || type_at > kFarthest) return;
  if (type_at < 16) return;
  type_at_ = static_cast<uint32_t>(type_at);
  before_type_ = word<false>(message, type_begin - 8);
  Slot slot;
  slot.type_first = word<false>(message, type_begin);
  slot.type_second = word<false>(message, type_begin + 8);
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
      before_id_ = word<false>(message, begin - 8);
    }
  }
  if (!known.state_name.empty()) {
    const size_t begin = begin_of(known.state_name);
    const size_t at = text.size() - begin;
    if (begin >= 8 && at <= kFarthest) {
      slot.state_at = static_cast<uint16_t>(at);
      before_state_ = word<false>(message, begin - 8);
    }
  }
  slots_[slot_of(slot.type_first)] = slot;
}

}  // namespace kg::kernel
