// Addresses and ranges: two readers of the same text agree, and a range holds what it says.
#include <string>

#include "config/names.h"
#include "config/schema.h"
#include "config/utf8.h"
#include "proxy/event/address.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

void check_address(const std::string& text) {
  const auto address = event::SocketAddress::parse(text, 443);
  if (!address) return;
  KG_ASSERT(address->port() == 443);
  const auto again = event::SocketAddress::parse(address->host_text(), 443);
  KG_ASSERT(again.has_value() && again->bytes16() == address->bytes16());
  KG_ASSERT(again->text() == address->text());
}

void check_listener(std::string_view text) {
  const config::KeyInfo* info = config::find_key("monitoring.address");
  KG_ASSERT(info != nullptr);
  const auto parsed = config::parse_address(text, *info);
  if (!parsed.value) {
    KG_ASSERT(!parsed.problem.empty() && !parsed.remedy.empty());
    return;
  }
  const std::string written = config::address_text(*parsed.value);
  const auto again = config::parse_address(written, *info);
  KG_ASSERT(again.value.has_value() && again.value->host == parsed.value->host);
  KG_ASSERT(again.value->port == parsed.value->port);
  KG_ASSERT(event::SocketAddress::parse(parsed.value->host, parsed.value->port).has_value());
}

void check_range(std::string_view text, const std::string& other) {
  const config::KeyInfo* info = config::find_key("listeners[].allow_sources");
  KG_ASSERT(info != nullptr);
  event::AddressRanges ranges;
  const bool added = ranges.add(text);
  KG_ASSERT(added != ranges.empty());
  const auto parsed = config::parse_range(text, *info);
  if (parsed.value) KG_ASSERT(added && ranges.add(parsed.value->text));
  if (!added) return;
  const auto own = event::SocketAddress::parse(std::string(text.substr(0, text.find('/'))), 0);
  KG_ASSERT(own.has_value() && ranges.contains(*own));
  const auto address = event::SocketAddress::parse(other, 0);
  if (!parsed.value || !address) return;
  const auto base = own->bytes16();
  const auto bytes = address->bytes16();
  const std::string& canonical = parsed.value->text;
  size_t bits = static_cast<size_t>(std::stoi(canonical.substr(canonical.find('/') + 1)));
  if (own->family() == AF_INET) bits += 96;
  bool inside = true;
  for (size_t bit = 0; bit < bits; ++bit) {
    const auto mask = static_cast<unsigned char>(0x80U >> (bit % 8));
    inside = inside && ((base[bit / 8] ^ bytes[bit / 8]) & mask) == 0;
  }
  KG_ASSERT(ranges.contains(*address) == inside);
}

}  // namespace

// Two lines: a range or address, and an address.
void run(std::string_view input) {
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view first = input.substr(0, end);
  const std::string second(input.substr(std::min(end + 1, input.size())));
  // The loader lets neither through to the parsers of values.
  if (first.empty() || !config::is_printable_utf8(first, config::LineBreaks::kRefuse)) return;
  check_address(second);
  check_listener(first);
  check_range(first, second);
}

}  // namespace kg::fuzz
