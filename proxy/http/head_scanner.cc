#include "proxy/http/head_scanner.h"

#include <bit>
#include <cstring>

namespace kg::http {
namespace {

constexpr bool is_special(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

// High bit of each byte below 0x20 or equal to 0x7f. Borrows make bytes above a true hit
// unreliable, so only the lowest set bit counts.
constexpr uint64_t special_bits(uint64_t word) noexcept {
  constexpr uint64_t kOnes = ~uint64_t{0} / 255;
  constexpr uint64_t kHighBits = kOnes * 0x80;
  const uint64_t below = (word - kOnes * 0x20) & ~word;
  const uint64_t del = word ^ (kOnes * 0x7f);
  return (below | ((del - kOnes) & ~del)) & kHighBits;
}

// Index of the first special byte at or after `from`, or the size.
size_t find_special(std::string_view data, size_t from) noexcept {
  size_t i = from;
  if constexpr (std::endian::native == std::endian::little) {
    while (data.size() - i >= sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, data.data() + i, sizeof(word));
      const uint64_t bits = special_bits(word);
      if (bits == 0) {
        i += sizeof(word);
        continue;
      }
      i += static_cast<size_t>(std::countr_zero(bits)) / 8;
      if (data[i] != '\t') return i;
      ++i;
    }
  }
  while (i < data.size() && !is_special(data[i])) ++i;
  return i;
}

}  // namespace

Result<size_t> HeadScanner::scan(std::string_view data, ErrorCode fault) {
  size_t i = 0;
  while (i < data.size() && state_ != State::kDone) {
    switch (state_) {
      case State::kLineStart:
        if (data[i] == ' ' || data[i] == '\t') return Error{fault, "folded header line"};
        if (data[i] == '\r') {
          state_ = State::kEndLf;
          ++i;
          break;
        }
        state_ = State::kLine;
        [[fallthrough]];
      case State::kLine: {
        const size_t end = find_special(data, i);
        if (lines_ == 0) start_line_bytes_ += end - i;
        i = end;
        if (i == data.size()) break;
        if (data[i] == '\n') return Error{fault, "bare LF in the head"};
        if (data[i] != '\r') return Error{fault, "control character in the head"};
        state_ = State::kLineLf;
        ++i;
        break;
      }
      case State::kLineLf:
        if (data[i] != '\n') return Error{fault, "bare CR in the head"};
        state_ = State::kLineStart;
        ++lines_;
        ++i;
        break;
      case State::kEndLf:
        if (data[i] != '\n') return Error{fault, "bare CR in the head"};
        state_ = State::kDone;
        ++i;
        break;
      case State::kDone:
        break;
    }
  }
  return i;
}

}  // namespace kg::http
