// MessageShape: where the values of one side's messages stand, learned from those that were looked
// at. The program behind a WebSocket writes each type of message in one way, so most messages are
// told by a few words at known places instead of a scan.
//
// A message has a known shape only if the 16 bytes where its type stands, and the 8 before every
// value that is taken, are those of a message that was looked at. What differs is looked at and
// learned. One slot for each of kSlots types; two that share one drive each other out.
// Pure; nothing is allocated. Reads within the given bytes only.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proxy/kernel/message_peek.h"

namespace kg::kernel {

// The payload of one whole message. `mask`: its masking key as it stands in the frame, 0 without.
struct PayloadBytes {
  const char* data = nullptr;
  size_t size = 0;
  uint32_t mask = 0;
};

class MessageShape {
 public:
  static constexpr size_t kSlots = 8;

  // `from_end`: places count from the message's end, where its begin has no fixed length: notebooks
  // write a cell's code before its header. For masked messages only.
  explicit MessageShape(bool from_end) noexcept : from_end_(from_end) {}

  struct Slot {
    uint64_t type_first = 0;  // the type and what follows it
    uint64_t type_second = 0;
    uint16_t id_at = 0;  // of the cell that it is or belongs to; 0: none
    uint16_t id_size = 0;
    uint16_t state_at = 0;  // of a status, before the message's end
    MessageType type = MessageType::kUnknown;
    Channel channel = Channel::kUnknown;
  };

  // A type that comes again and again can be told by two words: marks that of `slot`, if its name
  // ends within the first.
  void mark(const Slot& slot) noexcept;
  void unmark() noexcept { marked_ = 0; }
  // Whether an unmasked message is of the marked type.
  bool is_marked(const PayloadBytes& message) const noexcept {
    return message.size >= type_at_ + size_t{8} && word<false>(message, type_at_) == marked_ &&
           word<false>(message, type_at_ - 8) == before_type_;
  }

  // The slot of a message of known shape, or null. kMasked: what clients say.
  template <bool kMasked>
  const Slot* find(const PayloadBytes& message) const noexcept {
    // type_at_ is kNowhere before anything was learned: no message is so large.
    if (message.size < type_at_ + size_t{16}) return nullptr;
    const size_t at = place<kMasked>(message, type_at_);
    if (word<kMasked>(message, at - 8) != before_type_) return nullptr;
    const uint64_t first = word<kMasked>(message, at);
    const Slot& slot = slots_[slot_of(first)];
    if (first != slot.type_first || word<kMasked>(message, at + 8) != slot.type_second) {
      return nullptr;
    }
    return &slot;
  }
  // id_key() of that cell, 0 if it does not stand where it did.
  template <bool kMasked>
  uint64_t cell(const Slot& slot, const PayloadBytes& message) const noexcept {
    if (slot.id_at == 0 || message.size < size_t{slot.id_at} + slot.id_size + 8) return 0;
    const size_t at = place<kMasked>(message, slot.id_at);
    const uint64_t behind = word<kMasked>(message, at + slot.id_size);
    if (word<kMasked>(message, at - 8) != before_id_ || (behind & 0xff) != '"') return 0;
    return mix_id(word<kMasked>(message, at), word<kMasked>(message, at + slot.id_size - 8),
                  slot.id_size);
  }
  // Of a status; kUnknown if it is neither busy nor idle, or does not stand where it did.
  ExecutionState state(const Slot& slot, const PayloadBytes& message) const noexcept {
    constexpr size_t kName = 5;  // a closing quote too
    if (slot.state_at < kName || message.size < slot.state_at + size_t{8}) {
      return ExecutionState::kUnknown;
    }
    const size_t at = message.size - slot.state_at;
    if (word<false>(message, at - 8) != before_state_) return ExecutionState::kUnknown;
    const uint64_t name = word<false>(message, at + kName - 8) >> (8 * (8 - kName));
    if (name == name_word("busy\"")) return ExecutionState::kBusy;
    return name == name_word("idle\"") ? ExecutionState::kIdle : ExecutionState::kUnknown;
  }

  // `text`: the whole payload, unmasked; `known`: what peek_message() found in it.
  void learn(std::string_view text, const MessagePeek& known) noexcept;

 private:
  static constexpr uint32_t kNowhere = 0x7fff'ffff;

  template <bool kMasked>
  static uint64_t word(const PayloadBytes& message, size_t at) noexcept {
    uint64_t value = 0;
    std::memcpy(&value, message.data + at, sizeof value);
    if constexpr (kMasked) {
      const uint64_t mask = std::rotr(message.mask, static_cast<int>(8 * (at & 3)));
      value ^= mask << 32 | mask;
    }
    return value;
  }
  template <bool kMasked>
  size_t place(const PayloadBytes& message, size_t at) const noexcept {
    return kMasked && from_end_ ? message.size - at : at;
  }
  static constexpr uint64_t name_word(std::string_view name) noexcept {
    uint64_t value = 0;
    for (size_t i = name.size(); i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(name[i]);
    }
    return value;
  }
  static size_t slot_of(uint64_t type) noexcept {
    return (type * 0x9e37'79b9'7f4a'7c15) >> (64 - std::countr_zero(kSlots));
  }

  uint32_t type_at_ = kNowhere;
  bool from_end_;
  uint64_t marked_ = 0;  // no message has eight zeros there
  uint64_t before_type_ = 0;
  uint64_t before_id_ = 0;
  uint64_t before_state_ = 0;
  std::array<Slot, kSlots> slots_{};
};

}  // namespace kg::kernel
