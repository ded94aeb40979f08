// The frame scanner against a plain reading of RFC 6455 section 5.2 over the whole input.
#include <algorithm>
#include <string>

#include "proxy/websocket/frame_scanner.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

struct Expected {
  uint64_t messages = 0;
  bool in_message = false;
  bool closed = false;
  bool lost = false;
  bool at_boundary = true;
  uint16_t close_code = 1006;
  size_t whole_end = 0;  // of the last whole message, or control frame between two
  size_t close_at = std::string_view::npos;  // the first one begins, however much of it there is
};

Expected follow(const std::string_view input) {
  Expected expected;
  std::string_view data = input;
  const auto byte = [&data](size_t i) { return static_cast<unsigned char>(data[i]); };
  const auto number = [&](size_t from, size_t size) {
    uint64_t value = 0;
    for (size_t i = from; i < from + size; ++i) value = value << 8 | byte(i);
    return value;
  };
  while (!data.empty()) {
    expected.at_boundary = false;
    if ((byte(0) & 0x0f) == 8 && expected.close_at == std::string_view::npos) {
      expected.close_at = input.size() - data.size();
    }
    if (data.size() < 2) return expected;
    const bool masked = (byte(1) & 0x80) != 0;
    const unsigned short_length = byte(1) & 0x7f;
    const size_t extra = short_length == 127 ? 8 : short_length == 126 ? 2 : 0;
    const size_t header = 2 + extra + (masked ? 4 : 0);
    if (data.size() < header) return expected;
    const uint64_t length = extra == 0 ? short_length : number(2, extra);
    if (length >> 63 != 0) {
      expected.lost = true;
      return expected;
    }
    if (data.size() - header < length) return expected;
    const unsigned opcode = byte(0) & 0x0f;
    if (opcode < 8) {
      expected.in_message = (byte(0) & 0x80) == 0;
      if (!expected.in_message) ++expected.messages;
    } else if (opcode == 8 && !expected.closed) {
      expected.closed = true;
      const uint64_t key = masked ? number(header - 4, 2) : 0;
      expected.close_code =
          length < 2 ? uint16_t{1005} : static_cast<uint16_t>(number(header, 2) ^ key);
    }
    data.remove_prefix(header + static_cast<size_t>(length));
    expected.at_boundary = true;
    if (!expected.in_message) expected.whole_end = input.size() - data.size();
  }
  return expected;
}

// In front of the first Close frame it stops, however the bytes come.
void check_held_close(std::string_view input, Cut cut, const Expected& expected) {
  websocket::FrameScanner scanner;
  scanner.hold_close();
  size_t passed = 0;
  for_each_piece(input, cut, [&](std::string_view piece) {
    const size_t used = scanner.scan(piece);
    passed += used;
    KG_ASSERT(used == piece.size() || scanner.at_close());
    return !scanner.at_close();
  });
  KG_ASSERT(scanner.at_close() == (expected.close_at != std::string_view::npos));
  KG_ASSERT(passed == std::min(expected.close_at, input.size()) && !scanner.closed());
}

}  // namespace

void run(std::string_view input) {
  const Expected expected = follow(input);
  for (const Cut cut : {Cut::kWhole, Cut::kBytes, Cut::kTwoPieces, Cut::kPieces}) {
    check_held_close(input, cut, expected);
    websocket::FrameScanner scanner;
    for_each_piece(input, cut, [&scanner](std::string_view piece) {
      scanner.scan(piece);
      return true;
    });
    KG_ASSERT(scanner.open_bytes() == input.size() - expected.whole_end);
    KG_ASSERT(scanner.lost() == expected.lost);
    KG_ASSERT(scanner.messages() == expected.messages);
    KG_ASSERT(scanner.closed() == expected.closed);
    KG_ASSERT(scanner.close_code() == expected.close_code);
    KG_ASSERT(scanner.at_boundary() == (expected.at_boundary && !expected.lost));
    KG_ASSERT(scanner.between_messages() == (scanner.at_boundary() && !expected.in_message));
  }
}

}  // namespace kg::fuzz
