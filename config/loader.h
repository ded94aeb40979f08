// Loads and checks a configuration file. Every error of the file is found in one pass.
//
// Thread: control. yaml-cpp and its exceptions stay inside. Limits: file at most 16 MiB, nesting
// 16, aliases and anchors refused (they hide size), duplicate keys refused, 10,000 endpoints.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace kg::config {

struct Loaded {
  std::optional<Config> config;     // only if no entry of `errors` is more than a warning
  std::vector<ConfigError> errors;  // in file order
};

// Also checks that named files exist and can be read; what is in them is judged by who uses them.
Loaded load_file(const std::string& path);
// `path` names the text in errors and anchors relative paths.
Loaded load_text(std::string_view text, const std::string& path);

}  // namespace kg::config
