// MessageShape: where the values of one side's messages stand, learned from those that were looked
// at. The program behind a WebSocket writes each type of message in one way, so most messages are
// told by a few words at known places instead of a scan.
//
// A message has a known shape only if the 16 bytes from its type's opening quote on, the 8 before
// them, those before every value that is taken and those behind an id are those of a message that
// was looked at. What differs is looked at and learned, if its type alone tells what it means here.
// At most kTypesMax types: one more and all are forgotten. A program that makes its messages to be
// mistaken is mistaken, in what is told of its own kernel. Pure; nothing is allocated. Reads within
// the given bytes only.
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
  static constexpr size_t kTypesMax = 12;

  // `from_end`: places count from the message's end, where its begin has no fixed length: notebooks
  // write a cell's code before its header. For masked messages only.
  explicit MessageShape(bool from_end) noexcept : from_end_(from_end) {}

  struct Slot {
    uint64_t type_first = 0;  // from its opening quote on, at type_at(); 0: free
    uint64_t type_second = 0;
    uint16_t id_at = 0;  // of the cell that it is or belongs to; 0: none
    uint16_t id_size = 0;
    uint16_t state_at = 0;  // of a status, before the message's end
    MessageType type = MessageType::kUnknown;
    Channel channel = Channel::kUnknown;  // of a free one both are unknown
    bool short_type = false;  // type_first holds both quotes of it: no other string looks so
  };
  size_t type_at() const noexcept { return type_at_; }

  // The slot of a message of known shape; else null, or a free one. kMasked: what clients say.
  template <bool kMasked>
  const Slot* find(const PayloadBytes& message) const noexcept {
    // type_at_ is kNowhere before anything was learned: no message is so large.
    if (message.size < type_at_ + size_t{16}) return nullptr;
    const size_t at = place<kMasked>(message, type_at_);
    const uint64_t mask = mask_at<kMasked>(message, at);
    if ((word(message, at - 8) ^ mask) != before_type_) return nullptr;
    const uint64_t first = word(message, at) ^ mask;
    const uint64_t second = word(message, at + 8) ^ mask;
    const Slot* slot = &slots_[slot_of(first, second)];
    while (slot->type_first != first || slot->type_second != second) {
      if (slot->type_first == 0) return nullptr;
      slot = &slots_[(static_cast<size_t>(slot - slots_.data()) + 1) % kSlots];
    }
    return slot;
  }
  // id_key() of that cell, 0 if it does not stand where it did.
  template <bool kMasked>
  uint64_t cell(const Slot& slot, const PayloadBytes& message) const noexcept {
    if (slot.id_at == 0 || message.size < size_t{slot.id_at} + slot.id_size + 8) return 0;
    const size_t at = place<kMasked>(message, slot.id_at);
    const size_t end = at + slot.id_size;
    const uint64_t mask = mask_at<kMasked>(message, at);
    const uint64_t end_mask = mask_at<kMasked>(message, end);
    const uint64_t behind = word(message, end) ^ end_mask;
    const uint64_t last = word(message, end - 8) ^ end_mask;
    // Its quotes and what stands around them: an id of another length does not fit.
    if ((word(message, at - 8) ^ mask) != before_id_ || behind != behind_id_) return 0;
    return mix_id(word(message, at) ^ mask, last, slot.id_size);
  }
  // Of a status; kUnknown if it is neither busy nor idle, or does not stand where it did.
  ExecutionState state(const Slot& slot, const PayloadBytes& message) const noexcept {
    constexpr size_t kName = 5;  // a closing quote too
    if (slot.state_at < kName || message.size < slot.state_at + size_t{8}) {
      return ExecutionState::kUnknown;
    }
    const size_t at = message.size - slot.state_at;
    if (word(message, at - 8) != before_state_) return ExecutionState::kUnknown;
    const uint64_t name = word(message, at + kName - 8) >> (8 * (8 - kName));
    constexpr uint64_t kBusy = 0x22'7973'7562;  // busy" in memory
    constexpr uint64_t kIdle = 0x22'656c'6469;  // idle" likewise
    if (name == kIdle) return ExecutionState::kIdle;
    return name == kBusy ? ExecutionState::kBusy : ExecutionState::kUnknown;
  }

  // `text`: the whole payload, unmasked; `known`: what peek_message() found in it.
  void learn(std::string_view text, const MessagePeek& known) noexcept;

 private:
  static constexpr size_t kSlots = 16;  // a power of two; some stay free
  static constexpr uint32_t kNowhere = 0x7fff'ffff;

  static uint64_t word(const PayloadBytes& message, size_t at) noexcept {
    uint64_t value = 0;
    std::memcpy(&value, message.data + at, sizeof value);
    return value;
  }
  // Of a word there.
  template <bool kMasked>
  static uint64_t mask_at(const PayloadBytes& message, size_t at) noexcept {
    if constexpr (!kMasked) return 0;
    const uint64_t mask = std::rotr(message.mask, static_cast<int>(8 * (at & 3)));
    return mask << 32 | mask;
  }
  template <bool kMasked>
  size_t place(const PayloadBytes& message, size_t at) const noexcept {
    return kMasked && from_end_ ? message.size - at : at;
  }
  static constexpr size_t slot_of(uint64_t first, uint64_t second) noexcept {
    return ((first + second) * 0x9e37'79b9'7f4a'7c15) >> (64 - std::countr_zero(kSlots));
  }
  void keep(const Slot& slot) noexcept;

  uint32_t type_at_ = kNowhere;
  bool from_end_;
  uint8_t types_ = 0;  // slots_ that are not free
  uint64_t before_type_ = 0;
  uint64_t before_id_ = 0;
  uint64_t behind_id_ = 0;
  uint64_t before_state_ = 0;
  std::array<Slot, kSlots> slots_{};
};

}  // namespace kg::kernel
