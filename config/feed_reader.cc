#include "config/feed_reader.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "config/names.h"
#include "config/values.h"

namespace kg::config {
namespace {

constexpr size_t kCurveKeyBytes = 40;  // z85 of 32 bytes (ZeroMQ RFC 32)

Parsed<std::string> parse_controller(std::string_view text, const KeyInfo& info) {
  using Text = Parsed<std::string>;
  const size_t colon = text.rfind(':');
  unsigned port = 0;
  if (colon != std::string_view::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + colon + 1, end, port);
    if (stop != end || fault != std::errc()) port = 0;
  }
  if (port == 0 || port > 65'535) {
    return Text::bad(quote(text) + " names no port", "write it as HOST:PORT");
  }
  const std::string_view host = text.substr(0, colon);
  if (!parse_address(text, info).value && (host.empty() || !parse_host(host, info).value)) {
    return Text::bad(quote(text) + " names no host", "write it as HOST:PORT, or [ADDRESS]:PORT");
  }
  return Text::ok(std::string(text));
}

Parsed<std::string> parse_curve_key(std::string_view text, const KeyInfo& /*info*/) {
  constexpr std::string_view kOthers = ".-:+=^!/*?&<>()[]{}@%$#";
  const bool is_one = text.size() == kCurveKeyBytes && std::ranges::all_of(text, [&](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                               (c >= 'A' && c <= 'Z') || kOthers.find(c) != std::string_view::npos;
                      });
  if (is_one) return Parsed<std::string>::ok(std::string(text));
  return Parsed<std::string>::bad("is no public key",
                                  "copy the 40 characters of the controller's FILE.pub");
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

std::optional<Feed> read_feed(const Section& root, const Files& files) {
  const auto section = root.has("feed") ? root.map("feed") : std::nullopt;
  if (!section) return std::nullopt;
  Feed out;
  out.place = section->place();
  for (Listed<std::string>& one : section->values<std::string>("controllers", parse_controller)) {
    out.controllers.push_back(std::move(one.value));
  }
  for (Listed<std::string>& key :
       section->values<std::string>("controller_keys", parse_curve_key)) {
    out.controller_keys.push_back(std::move(key.value));
  }
  out.key_file = files.existing(*section, "key_file", Secrecy::kSecret);
  out.key_place = section->place_of("key_file");
  out.plaintext = section->value<bool>("plaintext", parse_boolean);
  out.name = section->value<std::string>("name", parse_text);
  if (out.name.empty()) out.name = host_name();
  Problems& problems = section->problems();
  if (out.plaintext) {
    problems.warn(section->place_of("plaintext"), "whoever is on the network sees gateway tokens",
                  "give controller_keys and key_file instead");
    if (section->has("controller_keys") || section->has("key_file")) {
      problems.error(section->place_of("plaintext"), "is at odds with keys",
                     "remove plaintext, or the keys");
    }
    return out;
  }
  for (const char* key : {"controller_keys", "key_file"}) {
    if (section->has(key) || section->is_misspelt(key)) continue;
    problems.error(section->place(), std::string("lacks ") + key,
                   "`kernelgate keys new FILE` makes a pair; controllers list FILE.pub");
  }
  return out;
}

}  // namespace kg::config
