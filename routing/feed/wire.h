// The form of a message: "KGF", one byte of protocol, one of type, fields, and the SHA-256 of all
// before it. A field is a tag, four bytes of length (big-endian), and its bytes; numbers have
// eight.
//
// A tag from kOptionalTag on may be skipped by whoever does not know it; an unknown one below makes
// the message unusable, because its sender counted on it. Values; pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kg::feed {

inline constexpr uint8_t kProtocol = 1;  // the newest that this program speaks, and the oldest
inline constexpr uint8_t kOptionalTag = 128;

class Writer {
 public:
  explicit Writer(uint8_t type);
  void text(uint8_t tag, std::string_view bytes);
  void number(uint8_t tag, uint64_t value);
  void raw(uint64_t value);  // eight bytes of an open field
  // A field of fields: ended by close() with what open() gave.
  size_t open(uint8_t tag);
  void close(size_t mark);
  size_t size() const noexcept { return out_.size(); }
  std::string finish() &&;

 private:
  std::string out_;
};

struct Field {
  uint8_t tag = 0;
  std::string_view bytes;
  // nullopt unless it has eight bytes.
  std::optional<uint64_t> number() const noexcept;
};

// The fields of a message or of a field, one after the other.
class Fields {
 public:
  explicit Fields(std::string_view bytes) noexcept : left_(bytes) {}
  // False at the end, and where a field is cut off: then broken().
  bool next(Field& field) noexcept;
  bool broken() const noexcept { return broken_; }

 private:
  std::string_view left_;
  bool broken_ = false;
};

struct Envelope {
  uint8_t type = 0;
  std::string_view fields;
};
// nullopt, and a word why: "form", "protocol", "checksum".
std::optional<Envelope> open_envelope(std::string_view message, const char*& problem) noexcept;

}  // namespace kg::feed
