// The file as a small tree with line numbers: the only place that touches yaml-cpp.
//
// Thread: control. Limits: nesting 16, 64 keys in one map, 2,000,000 nodes, kYamlValueBytesMax in
// one value, 1 MiB of text that the parser has to look ahead. Anchors, aliases, tags, duplicate
// keys, non-UTF-8 bytes and control characters are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"

namespace kg::config {

inline constexpr size_t kYamlValueBytesMax = 4096;  // PATH_MAX; no other value comes near

struct YamlNode {
  // kBroken: already reported, the reader takes the default and says nothing more.
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap, kBroken };

  Kind kind = Kind::kNull;
  int line = 0;                    // 1-based; of the key for values of a map
  std::string key;                 // values of a map only
  std::string text;                // kScalar: never a control character
  std::vector<YamlNode> children;  // kList, kMap

  const YamlNode* find(std::string_view name) const noexcept;
};

// nullopt when no tree can be had, which is then among the problems. The root is a map.
// What differs for files of other programs: how long a value may be, and where keys are explained.
struct YamlRules {
  size_t value_bytes_max = kYamlValueBytesMax;
  std::string page = "config/README.md";
};
std::optional<YamlNode> parse_tree(std::string_view text, Problems& problems,
                                   const YamlRules& rules = {});

}  // namespace kg::config
