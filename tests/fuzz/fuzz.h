// What the fuzz targets share: input as text, and the same input fed in several ways.
//
// A target is one parser and the promises that it keeps for any input: KG_ASSERT each of them.
// Inputs are the text itself wherever possible, so that a corpus file can be read and written by
// hand; where to cut it is derived from its bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "proxy/base/assert.h"

namespace kg::fuzz {

enum class Cut : uint8_t { kWhole, kBytes, kTwoPieces, kPieces };
inline constexpr std::array kOtherCuts{Cut::kBytes, Cut::kTwoPieces, Cut::kPieces};

// FNV-1a: equal inputs are cut at equal places in every run.
inline uint64_t hash(std::string_view data) noexcept {
  uint64_t value = 0xcbf2'9ce4'8422'2325;
  for (const char c : data) {
    value ^= static_cast<unsigned char>(c);
    value *= 0x0000'0100'0000'01b3;
  }
  return value;
}

// Calls visit(piece) for one piece after the other until it returns false. Each piece is a block of
// its own, so that the address sanitizer sees a read beyond it.
template <class Visit>
void for_each_piece(std::string_view data, Cut cut, Visit&& visit) {
  uint64_t random = hash(data);
  while (!data.empty()) {
    size_t size = data.size();
    if (cut == Cut::kBytes) size = 1;
    if (cut == Cut::kTwoPieces) size = 1 + static_cast<size_t>(random % data.size());
    if (cut == Cut::kPieces) {
      random = random * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
      size = std::min<size_t>(data.size(), 1 + (random >> 60));
    }
    const auto piece = std::make_unique_for_overwrite<char[]>(size);
    std::memcpy(piece.get(), data.data(), size);
    if (!visit(std::string_view(piece.get(), size))) return;
    data.remove_prefix(size);
    if (cut == Cut::kTwoPieces) cut = Cut::kWhole;
  }
}

// Takes one byte off the front as a choice among `count`; 0 when nothing is left.
inline size_t choose(std::string_view& data, size_t count) noexcept {
  if (data.empty()) return 0;
  const auto byte = static_cast<unsigned char>(data.front());
  data.remove_prefix(1);
  return byte % count;
}

// Whether `part` is a view into `whole`, or empty.
inline bool is_within(std::string_view part, std::string_view whole) noexcept {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void run(std::string_view input);  // each target defines it

}  // namespace kg::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kg::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
