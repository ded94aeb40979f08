// The table of keys: what a file may hold, and the single source of defaults and ranges. The loader
// reads through it, and a test compares it with config/README.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kg::config {

struct KeyInfo {
  std::string_view path;  // "endpoints[].gateway.token_file"; [] stands for each entry
  std::string_view type;  // "duration", "list of maps", ...
  // Numbers and durations: "LEAST to MOST". Lists: "LEAST to MOST entries". Words: all of them, "a,
  // b". Else prose or "".
  std::string_view unit;
  // "required", a value as an operator would write it, or prose in parentheses where the value is
  // empty: "(none)". "(one of these)": exactly one key of its map is given that says so.
  std::string_view fallback;
  std::string_view reason;  // one line: meaning and why the default

  bool is_required() const noexcept { return fallback == "required"; }
  bool is_one_of_several() const noexcept { return fallback == "(one of these)"; }
  bool has_default_value() const noexcept { return !is_required() && !fallback.starts_with('('); }
};

// In the order of config/README.md; a key stands after the one that holds it.
std::span<const KeyInfo> schema() noexcept;
// nullptr for an unknown path.
const KeyInfo* find_key(std::string_view path) noexcept;

// Keys that operators may know from the plan of later versions: refused by name, not as typing
// errors.
struct LaterKey {
  std::string_view path;     // "state_dir"; "listeners[].tls.*" is every other key there
  std::string_view instead;  // what this version does, with the remedy
};

std::span<const LaterKey> later_keys() noexcept;
const LaterKey* find_later_key(std::string_view path) noexcept;

// The key of that map that `key` is probably meant to be, or "". `parent` is "" for the top level.
std::string_view nearest_key(std::string_view parent, std::string_view key);
// The only map that holds a key of that name, or "" if none or several do.
std::string_view only_home_of(std::string_view key) noexcept;
// "address, tls, trusted_proxies": the keys of a map.
std::string keys_of(std::string_view parent);

}  // namespace kg::config
