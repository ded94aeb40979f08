// One line of JSON of a log: how the access log and the audit log write their fields. Private to
// metrics.
#pragma once

#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "metrics/log_buffer.h"
#include "proxy/base/ascii.h"

namespace kg::metrics {

inline constexpr uint64_t kMicrosPerSecond = 1'000'000;

// `,"name":` in a block of fixed size, because a copy of known length needs no call. A name that
// does not fit does not compile.
struct Key {
  static constexpr size_t kBlockBytes = 32;
  consteval explicit Key(std::string_view name) {
    for (const std::string_view part : {std::string_view(",\""), name, std::string_view("\":")}) {
      for (const char c : part) text[size++] = c;
    }
  }
  std::array<char, kBlockBytes> text{};
  size_t size = 0;
};

// Non-zero if one of eight bytes cannot stand in a JSON string as it is: control, quote, backslash
// or non-ASCII. A subtraction sets the top bit of a byte below the subtrahend, and borrows only
// above a byte that is a hit itself.
inline uint64_t special_bytes(uint64_t word) noexcept {
  constexpr uint64_t kOnes = 0x0101010101010101;
  const uint64_t control = word - kOnes * 0x20;
  const uint64_t quote = (word ^ (kOnes * '"')) - kOnes;
  const uint64_t backslash = (word ^ (kOnes * '\\')) - kOnes;
  return (word | control | quote | backslash) & (kOnes * 0x80);
}

// Copies the text; false if it has to be escaped.
inline bool copy_plain(std::string_view text, char* out) noexcept {
  uint64_t special = 0;
  uint64_t word = 0;
  const char* in = text.data();
  size_t at = 0;
  for (; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, in + at, sizeof word);
    std::memcpy(out + at, &word, sizeof word);
    special |= special_bytes(word);
  }
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<uint8_t>(in[at]);
    out[at] = in[at];
    special |= static_cast<uint64_t>(byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\');
  }
  return special == 0;
}

// Cuts before a UTF-8 character rather than inside it.
inline std::string_view cut(std::string_view text) noexcept {
  if (text.size() <= kLogFieldBytesMax) return text;
  size_t end = kLogFieldBytesMax;
  for (int back = 0; back < 3 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80; ++back) --end;
  return text.substr(0, end);
}

// One line, collected on the stack and appended in one go: a string's own append per field takes
// three times as long.
class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}

  void raw(std::string_view bytes) {
    make_room(bytes.size());
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

  void text(const Key& name, std::string_view value) {
    if (value.empty()) return;
    value = cut(value);
    key(name, value.size() + 2);
    if (!copy_plain(value, at_ + 1)) {
      flush();
      ascii::json_quote(value, out_);
      return;
    }
    *at_++ = '"';
    at_ += value.size();
    *at_++ = '"';
  }

  void number(const Key& name, uint64_t value) {
    key(name, kDigitsMax);
    at_ = std::to_chars(at_, bytes_.end(), value).ptr;
  }

  void optional(const Key& name, uint64_t value) {
    if (value != 0) number(name, value);
  }

  // ".000042": the digits of 1'000'042 with a dot for the one.
  void micros(uint64_t value) {
    make_room(kDigitsMax);
    char* dot = at_;
    at_ = std::to_chars(at_, bytes_.end(), kMicrosPerSecond + value).ptr;
    *dot = '.';
  }

  void seconds(const Key& name, uint64_t duration_us) {
    number(name, duration_us / kMicrosPerSecond);
    micros(duration_us % kMicrosPerSecond);
  }

  void flag(const Key& name, bool value) {
    if (!value) return;
    key(name, 0);
    raw("true");
  }

  void flush() {
    out_.append(bytes_.data(), at_);
    at_ = bytes_.data();
  }

 private:
  static constexpr size_t kDigitsMax = 20;

  void key(const Key& name, size_t value_bytes) {
    make_room(Key::kBlockBytes + value_bytes);
    std::memcpy(at_, name.text.data(), Key::kBlockBytes);
    at_ += name.size;
  }

  void make_room(size_t bytes) {
    if (static_cast<size_t>(bytes_.end() - at_) < bytes) flush();
  }

  std::string& out_;
  std::array<char, 2 * kLogFieldBytesMax> bytes_;  // more than any one field; most lines fit
  char* at_ = bytes_.data();
};

}  // namespace kg::metrics
