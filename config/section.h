// Section: one map of the file, read through the schema.
//
// Owner:  the reader of that map; borrows tree and Problems, both outlive it. Thread: control.
// Errors: every read reports what is wrong and returns the default (or T{} where there is none), so
//         that one pass finds everything. Reading a key that the schema does not have is a bug.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/parsed.h"
#include "config/problems.h"
#include "config/yaml_tree.h"
#include "proxy/base/assert.h"

namespace kg::config {

template <class T>
struct Listed {
  T value;
  Place place;
};

class Section {
 public:
  // The whole file.
  Section(const YamlNode& root, Problems& problems);
  // A map that stands alone, whose keys are those of the schema below `schema_path`.
  Section(const YamlNode& map, std::string_view schema_path, Problems& problems);

  bool has(std::string_view name) const noexcept { return map_ != nullptr && map_->find(name); }
  // Whether a key holds this very word: `off` where else a map stands.
  bool is_word(std::string_view name, std::string_view word) const noexcept;
  // An unknown key that was probably meant to be this one: its error says so, "missing" would be
  // noise. Never where unknown keys are ignored.
  bool is_misspelt(std::string_view name) const;
  // Where a key stands, or where it is missing.
  Place place_of(std::string_view name) const;
  const Place& place() const noexcept { return place_; }
  Problems& problems() const noexcept { return *problems_; }

  // nullopt for a required map that is missing, and for what is no map; a missing optional one is
  // a section without keys.
  std::optional<Section> map(std::string_view name) const;
  std::vector<Section> maps(std::string_view name) const;
  // A map whose keys stand in the schema below another path: they are the same wherever it occurs.
  std::optional<Section> map_like(std::string_view name, std::string_view schema_path) const;

  template <class T>
  T value(std::string_view name, Parser<T> parse) const {
    const KeyInfo& info = key(name);
    if (const YamlNode* node = scalar(name, info)) {
      Parsed<T> parsed = parse(node->text, info);
      if (parsed.value) return std::move(*parsed.value);
      problems_->error(place_of(name), std::move(parsed.problem), std::move(parsed.remedy));
    }
    if (!info.has_default_value()) return T{};
    Parsed<T> fallback = parse(info.fallback, info);
    KG_ASSERT(fallback.value.has_value());
    return std::move(*fallback.value);
  }

  // A list of scalars; entries with problems are left out.
  template <class T>
  std::vector<Listed<T>> values(std::string_view name, Parser<T> parse) const {
    std::vector<Listed<T>> out;
    const KeyInfo& info = key(name);
    const YamlNode* node = list(name, info);
    if (node == nullptr) return out;
    for (size_t i = 0; i < node->children.size(); ++i) {
      const YamlNode& child = node->children[i];
      const Place place{child.line, place_of(name).key + "[" + std::to_string(i) + "]"};
      if (!is_scalar(child, place)) continue;
      Parsed<T> parsed = parse(child.text, info);
      if (parsed.value) {
        out.push_back({std::move(*parsed.value), place});
      } else {
        problems_->error(place, std::move(parsed.problem), std::move(parsed.remedy));
      }
    }
    return out;
  }

 private:
  Section(const YamlNode* map, Place place, std::string schema_path, Problems& problems);

  void judge_unknown_keys() const;
  std::string path_of(std::string_view name) const;
  const KeyInfo& key(std::string_view name) const;
  // The key's node if it is there and of that kind. Reports everything else.
  const YamlNode* scalar(std::string_view name, const KeyInfo& info) const;
  const YamlNode* list(std::string_view name, const KeyInfo& info) const;
  bool is_scalar(const YamlNode& node, const Place& place) const;
  const YamlNode* present(std::string_view name, const KeyInfo& info) const;

  const YamlNode* map_;  // nullptr: an optional map that is missing
  Place place_;
  std::string schema_path_;  // "endpoints[].gateway", "" for the file
  Problems* problems_;
};

}  // namespace kg::config
