#include "routing/controller/run/revocation_text.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "proxy/base/crypto.h"

namespace kg::controller {
namespace {

constexpr std::string_view kStampBegin = "# kernelgate ";
constexpr std::string_view kStampWords =
    ": who takes a line away takes back what it revokes, if this one stays as it is";
constexpr size_t kLineageBytes = 8;
constexpr size_t kSerialDigitsMax = 15;
static_assert(kStampBegin.size() + 2 * kLineageBytes + 1 + kSerialDigitsMax + kStampWords.size() <
              kStampBytesMax);
constexpr uint64_t kSerialMax = 999'999'999'999'999;

bool is_hex_digit(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool is_decimal_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// None for anything that a controller would not have written.
RevocationStamp stamp_of(std::string_view text) {
  if (!text.starts_with(kStampBegin)) return {};
  text.remove_prefix(kStampBegin.size());
  const std::string_view lineage = text.substr(0, 2 * kLineageBytes);
  text.remove_prefix(lineage.size());
  if (lineage.size() != 2 * kLineageBytes || !text.starts_with(' ') ||
      !std::ranges::all_of(lineage, is_hex_digit)) {
    return {};
  }
  text.remove_prefix(1);
  const auto end = std::ranges::find_if_not(text, is_decimal_digit);
  const std::string_view digits = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  const bool ends = text.empty() || text.front() == ':' || text.front() == '\n';
  if (!ends || digits.empty() || digits.size() > kSerialDigitsMax) return {};
  RevocationStamp out;
  std::from_chars(digits.data(), digits.data() + digits.size(), out.serial);
  out.lineage = lineage;
  return out;
}

}  // namespace

RevocationStamp RevocationStamp::next() const {
  if (lineage.empty() || serial >= kSerialMax) return {crypto::random_hex(kLineageBytes), 1};
  return {lineage, serial + 1};
}

RevocationText RevocationText::read(std::string_view text) {
  auth::Revocations::Lines lines = auth::Revocations::read_lines(text);
  if (!lines.error.empty()) return {{}, {}, std::move(lines.error)};
  return {stamp_of(text), std::move(lines.entries), ""};
}

std::string RevocationText::write(const RevocationStamp& stamp,
                                  const std::vector<auth::Revocation>& entries) {
  std::string out(kStampBegin);
  out.append(stamp.lineage).append(" ").append(std::to_string(stamp.serial)).append(kStampWords);
  out += '\n';
  for (const auth::Revocation& entry : entries) out += entry.json() + "\n";
  return out;
}

}  // namespace kg::controller
