#include "config/values.h"

#include <optional>
#include <utility>

#include "config/problems.h"
#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"

namespace kg::config {
namespace {

constexpr uint64_t kMillisMax = 1'000ULL * 3600 * 24 * 365;  // far above every range: no overflow

// "1s to 4000s" -> {"1s", "4000s"}
std::pair<std::string_view, std::string_view> range_words(const KeyInfo& info) {
  const size_t to = info.unit.find(" to ");
  KG_ASSERT(to != std::string_view::npos);
  std::string_view most = info.unit.substr(to + 4);
  most = most.substr(0, most.find(' '));
  return {info.unit.substr(0, to), most};
}

std::string range_text(const KeyInfo& info) {
  const auto [least, most] = range_words(info);
  return "write a value from " + std::string(least) + " to " + std::string(most);
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

struct Quantity {
  std::string_view digits;
  std::string_view unit;
};

Quantity split_quantity(std::string_view text) noexcept {
  size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  return {text.substr(0, end), text.substr(end)};
}

std::optional<uint64_t> millis_per(std::string_view unit) noexcept {
  if (unit == "ms") return 1;
  if (unit == "s") return 1'000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  return std::nullopt;
}

std::optional<uint64_t> to_millis(const Quantity& quantity) noexcept {
  const auto count = ascii::parse_decimal(quantity.digits);
  const auto factor = millis_per(quantity.unit);
  if (!count || !factor || *count > kMillisMax / *factor) return std::nullopt;
  return *count * *factor;
}

std::optional<uint64_t> bytes_per(std::string_view unit) noexcept {
  if (unit == "B") return 1;
  if (unit == "KiB") return uint64_t{1} << 10;
  if (unit == "MiB") return uint64_t{1} << 20;
  if (unit == "GiB") return uint64_t{1} << 30;
  return std::nullopt;
}

std::optional<uint64_t> to_bytes(const Quantity& quantity) noexcept {
  constexpr uint64_t kBytesMax = uint64_t{1} << 50;  // far above every range: no overflow
  const auto count = ascii::parse_decimal(quantity.digits);
  const auto factor = bytes_per(quantity.unit);
  if (!count || !factor || *count > kBytesMax / *factor) return std::nullopt;
  return *count * *factor;
}

std::string size_remedy(const Quantity& quantity) {
  const std::string digits(quantity.digits);
  const std::string unit = ascii::lower(ascii::trim(quantity.unit));
  if (digits.empty()) return "write a number and a unit, such as 64KiB";
  if (unit.empty()) return "add the unit: " + digits + "B or " + digits + "KiB";
  switch (unit.front()) {
    case 'b':
      return "write " + digits + "B";
    case 'k':
      return "write " + digits + "KiB";
    case 'm':
      return "write " + digits + "MiB";
    case 'g':
      return "write " + digits + "GiB";
    default:
      return "write a whole number and one of the units B, KiB, MiB, GiB";
  }
}

std::string duration_remedy(const Quantity& quantity) {
  const std::string digits(quantity.digits);
  const std::string unit = ascii::lower(ascii::trim(quantity.unit));
  if (digits.empty()) return "write a number and a unit, such as 65s";
  if (unit.empty()) return "add the unit: " + digits + "s or " + digits + "ms";
  if (millis_per(unit)) return "write " + digits + unit;
  if (unit.front() == '.' || unit.front() == ',')
    return "write a whole number of a smaller unit, such as 1500ms for 1.5s";
  if (is_digit(unit.back()) || unit.find_first_of("0123456789") != std::string::npos)
    return "write one number and one unit, such as 90m for 1h30m";
  if (unit.starts_with("ms") || unit.starts_with("mil")) return "write " + digits + "ms";
  if (unit.starts_with("se")) return "write " + digits + "s";
  if (unit.starts_with("mi")) return "write " + digits + "m";
  if (unit.starts_with("ho") || unit == "hr" || unit == "hrs") return "write " + digits + "h";
  if (unit.starts_with("d")) return "there is no unit for days: one is 24h";
  return "use one of the units ms, s, m, h";
}

}  // namespace

Bounds integer_bounds(const KeyInfo& info) {
  const auto [least, most] = range_words(info);
  const auto low = ascii::parse_decimal(least);
  const auto high = ascii::parse_decimal(most);
  KG_ASSERT(low.has_value() && high.has_value());
  return {*low, *high};
}

Parsed<uint32_t> parse_integer(std::string_view text, const KeyInfo& info) {
  const Bounds bounds = integer_bounds(info);
  const auto number = ascii::parse_decimal(text);
  if (!number && split_quantity(text).unit.empty())
    return Parsed<uint32_t>::bad(quote(text) + " is out of range", range_text(info));
  if (!number) return Parsed<uint32_t>::bad(quote(text) + " is not a number", range_text(info));
  if (*number < bounds.least || *number > bounds.most)
    return Parsed<uint32_t>::bad(quote(text) + " is out of range", range_text(info));
  return Parsed<uint32_t>::ok(static_cast<uint32_t>(*number));
}

Parsed<uint32_t> parse_workers(std::string_view text, const KeyInfo& info) {
  if (text == "auto") return Parsed<uint32_t>::ok(0);
  Parsed<uint32_t> parsed = parse_integer(text, info);
  if (!parsed.value) parsed.remedy += ", or auto";
  return parsed;
}

Parsed<Millis> parse_duration(std::string_view text, const KeyInfo& info) {
  const Quantity quantity = split_quantity(text);
  if (quantity.digits.empty() || !millis_per(quantity.unit))
    return Parsed<Millis>::bad(quote(text) + " is not a duration", duration_remedy(quantity));
  const auto [least_word, most_word] = range_words(info);
  const auto least = to_millis(split_quantity(least_word));
  const auto most = to_millis(split_quantity(most_word));
  KG_ASSERT(least.has_value() && most.has_value());
  const auto millis = to_millis(quantity);
  if (!millis || *millis < *least || *millis > *most)
    return Parsed<Millis>::bad(quote(text) + " is out of range", range_text(info));
  return Parsed<Millis>::ok(Millis(*millis));
}

uint32_t read_ms(const Section& section, std::string_view name) {
  return static_cast<uint32_t>(section.value<Millis>(name, parse_duration).count());
}

Parsed<uint64_t> parse_size(std::string_view text, const KeyInfo& info) {
  const Quantity quantity = split_quantity(text);
  if (quantity.digits.empty() || !bytes_per(quantity.unit))
    return Parsed<uint64_t>::bad(quote(text) + " is not a size", size_remedy(quantity));
  const auto [least_word, most_word] = range_words(info);
  const auto least = to_bytes(split_quantity(least_word));
  const auto most = to_bytes(split_quantity(most_word));
  KG_ASSERT(least.has_value() && most.has_value());
  const auto bytes = to_bytes(quantity);
  if (!bytes || *bytes < *least || *bytes > *most)
    return Parsed<uint64_t>::bad(quote(text) + " is out of range", range_text(info));
  return Parsed<uint64_t>::ok(*bytes);
}

Parsed<bool> parse_boolean(std::string_view text, const KeyInfo& /*info*/) {
  if (text == "true") return Parsed<bool>::ok(true);
  if (text == "false") return Parsed<bool>::ok(false);
  return Parsed<bool>::bad(quote(text) + " is not a boolean", "write true or false");
}

Parsed<bool> parse_on_or_off(std::string_view text, const KeyInfo& /*info*/) {
  if (text == "on") return Parsed<bool>::ok(true);
  if (text == "off") return Parsed<bool>::ok(false);
  return Parsed<bool>::bad(quote(text) + " is not a choice here", "write on or off");
}

Parsed<bool> parse_close_or_keep(std::string_view text, const KeyInfo& /*info*/) {
  if (text == "close") return Parsed<bool>::ok(true);
  if (text == "keep") return Parsed<bool>::ok(false);
  return Parsed<bool>::bad(quote(text) + " is not a choice here", "write close or keep");
}

Parsed<OtherPaths> parse_other_paths(std::string_view text, const KeyInfo& /*info*/) {
  if (text == "deny") return Parsed<OtherPaths>::ok(OtherPaths::kDeny);
  if (text == "forward") return Parsed<OtherPaths>::ok(OtherPaths::kForward);
  return Parsed<OtherPaths>::bad(quote(text) + " is not a choice here", "write deny or forward");
}

Parsed<ClientCertificateMode> parse_client_certificate_mode(std::string_view text,
                                                            const KeyInfo& /*info*/) {
  using Mode = ClientCertificateMode;
  if (text == "optional") return Parsed<Mode>::ok(Mode::kOptional);
  if (text == "required") return Parsed<Mode>::ok(Mode::kRequired);
  return Parsed<Mode>::bad(quote(text) + " is not a choice here", "write optional or required");
}

Parsed<GatewayCredentials> parse_credentials(std::string_view text, const KeyInfo& /*info*/) {
  if (text == "own") return Parsed<GatewayCredentials>::ok(GatewayCredentials::kOwn);
  if (text == "forward") return Parsed<GatewayCredentials>::ok(GatewayCredentials::kForward);
  return Parsed<GatewayCredentials>::bad(quote(text) + " is not a choice here",
                                         "write own or forward");
}

Parsed<std::string> parse_algorithm(std::string_view text, const KeyInfo& /*info*/) {
  for (const char* name : {"ES256", "ES384", "RS256", "PS256", "EdDSA"}) {
    if (text == name) return Parsed<std::string>::ok(std::string(text));
  }
  const std::string lower = ascii::lower(text);
  if (lower == "none" || lower.starts_with("hs")) {
    return Parsed<std::string>::bad(quote(text) + " cannot prove who made a token",
                                    "use ES256, ES384, RS256, PS256 or EdDSA");
  }
  return Parsed<std::string>::bad(quote(text) + " is not an algorithm of this version",
                                  "use ES256, ES384, RS256, PS256 or EdDSA");
}

Parsed<AuditSubjects> parse_audit_subjects(std::string_view text, const KeyInfo& /*info*/) {
  using Result = Parsed<AuditSubjects>;
  if (text == "clear") return Result::ok(AuditSubjects::kClear);
  if (text == "hashed") return Result::ok(AuditSubjects::kHashed);
  if (text == "off") return Result::ok(AuditSubjects::kOff);
  return Result::bad(quote(text) + " is not a choice here", "write clear, hashed or off");
}

Parsed<CertificateName> parse_certificate_name(std::string_view text, const KeyInfo& /*info*/) {
  using Result = Parsed<CertificateName>;
  if (text == "cn") return Result::ok(CertificateName::kCommonName);
  if (text == "san_uri") return Result::ok(CertificateName::kUri);
  if (text == "san_email") return Result::ok(CertificateName::kEmail);
  if (text == "san_dns") return Result::ok(CertificateName::kDns);
  return Result::bad(quote(text) + " is not a choice here",
                     "write cn, san_uri, san_email or san_dns");
}

Parsed<std::string> parse_text(std::string_view text, const KeyInfo& /*info*/) {
  if (text.front() == ' ' || text.back() == ' ')
    return Parsed<std::string>::bad("a space at an end of the value", "remove it");
  return Parsed<std::string>::ok(std::string(text));
}

}  // namespace kg::config
