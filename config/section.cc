#include "config/section.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "config/values.h"
#include "proxy/base/assert.h"

namespace kg::config {

Section::Section(const YamlNode& root, Problems& problems)
    : Section(&root, {1, ""}, "", problems) {}

Section::Section(const YamlNode& map, std::string_view schema_path, Problems& problems)
    : Section(&map, {1, ""}, std::string(schema_path), problems) {}

Section::Section(const YamlNode* map, Place place, std::string schema_path, Problems& problems)
    : map_(map),
      place_(std::move(place)),
      schema_path_(std::move(schema_path)),
      problems_(&problems) {
  if (map_ != nullptr) judge_unknown_keys();
}

std::string Section::path_of(std::string_view name) const {
  return (schema_path_.empty() ? "" : schema_path_ + ".") + std::string(name);
}

const KeyInfo& Section::key(std::string_view name) const {
  const KeyInfo* info = find_key(path_of(name));
  KG_ASSERT(info != nullptr);
  return *info;
}

Place Section::place_of(std::string_view name) const {
  const YamlNode* node = map_ == nullptr ? nullptr : map_->find(name);
  std::string key = place_.key.empty() ? std::string(name) : place_.key + "." + std::string(name);
  return {node == nullptr ? place_.line : node->line, std::move(key)};
}

bool Section::is_word(std::string_view name, std::string_view word) const noexcept {
  const YamlNode* node = map_ == nullptr ? nullptr : map_->find(name);
  return node != nullptr && node->kind == YamlNode::Kind::kScalar && node->text == word;
}

void Section::judge_unknown_keys() const {
  for (const YamlNode& child : map_->children) {
    const std::string path = path_of(child.key);
    if (find_key(path) != nullptr) continue;
    const Place place = place_of(child.key);
    if (problems_->ignores_unknown_keys()) {
      problems_->warn(place, "unknown key", "it is ignored: a newer program may know it");
      continue;
    }
    const std::string_view near = nearest_key(schema_path_, child.key);
    if (const LaterKey* later = find_later_key(path);
        later != nullptr && (later->path == path || near.empty())) {
      problems_->error(place, "not supported by this version", std::string(later->instead));
    } else if (!near.empty()) {
      problems_->error(place, "unknown key", "did you mean " + std::string(near) + "?");
    } else if (const std::string_view home = only_home_of(child.key); !home.empty()) {
      problems_->error(place, "unknown key", "it belongs into " + std::string(home));
    } else {
      problems_->error(place, "unknown key", "remove it; allowed here: " + keys_of(schema_path_));
    }
  }
}

bool Section::is_misspelt(std::string_view name) const {
  if (map_ == nullptr || problems_->ignores_unknown_keys()) return false;
  return std::any_of(map_->children.begin(), map_->children.end(), [&](const YamlNode& child) {
    return find_key(path_of(child.key)) == nullptr && nearest_key(schema_path_, child.key) == name;
  });
}

const YamlNode* Section::present(std::string_view name, const KeyInfo& info) const {
  const YamlNode* node = map_ == nullptr ? nullptr : map_->find(name);
  if (node == nullptr) {
    if (info.is_required() && !is_misspelt(name))
      problems_->error(place_of(name), "missing", "add it: " + std::string(info.type));
    return nullptr;
  }
  if (node->kind == YamlNode::Kind::kBroken) return nullptr;
  if (node->kind == YamlNode::Kind::kNull) {
    problems_->error(place_of(name), "has no value",
                     info.is_required() ? "add it: " + std::string(info.type)
                                        : "give it a value or remove the key");
    return nullptr;
  }
  return node;
}

bool Section::is_scalar(const YamlNode& node, const Place& place) const {
  if (node.kind == YamlNode::Kind::kBroken) return false;
  const bool is_empty = node.kind == YamlNode::Kind::kNull ||
                        (node.kind == YamlNode::Kind::kScalar && node.text.empty());
  if (is_empty) {
    problems_->error(place, "is empty", "give it a value or remove it");
  } else if (node.kind != YamlNode::Kind::kScalar) {
    problems_->error(place, "is not a single value", "write one value here");
  }
  return !is_empty && node.kind == YamlNode::Kind::kScalar;
}

const YamlNode* Section::scalar(std::string_view name, const KeyInfo& info) const {
  const YamlNode* node = present(name, info);
  return node != nullptr && is_scalar(*node, place_of(name)) ? node : nullptr;
}

const YamlNode* Section::list(std::string_view name, const KeyInfo& info) const {
  const YamlNode* node = present(name, info);
  if (node == nullptr) return nullptr;
  if (node->kind != YamlNode::Kind::kList) {
    const bool of_maps = info.type == "list of maps";
    problems_->error(place_of(name), "is not a list",
                     of_maps ? "begin each entry with a dash" : "write it as [ONE, OTHER]");
    return nullptr;
  }
  const size_t count = node->children.size();
  Bounds bounds{info.is_required() ? 1U : 0U, std::numeric_limits<uint64_t>::max()};
  if (info.unit.ends_with(" entries")) bounds = integer_bounds(info);
  if (count >= bounds.least && count <= bounds.most) return node;
  if (count == 0) {
    problems_->error(place_of(name), "is an empty list",
                     info.is_required() ? "add an entry" : "add an entry or remove the key");
  } else {
    problems_->error(place_of(name), std::to_string(count) + " entries are too many",
                     "at most " + std::to_string(bounds.most));
  }
  return nullptr;
}

std::optional<Section> Section::map(std::string_view name) const {
  return map_like(name, path_of(name));
}

std::optional<Section> Section::map_like(std::string_view name,
                                         std::string_view schema_path) const {
  const KeyInfo& info = key(name);
  const YamlNode* node = present(name, info);
  if (node == nullptr) {
    if (info.is_required()) return std::nullopt;
    return Section(nullptr, place_of(name), std::string(schema_path), *problems_);
  }
  if (node->kind != YamlNode::Kind::kMap) {
    problems_->error(place_of(name), "is not a map",
                     "write keys below it: " + keys_of(schema_path) +
                         (info.type.ends_with("`off`") ? ", or off" : ""));
    return std::nullopt;
  }
  return Section(node, place_of(name), std::string(schema_path), *problems_);
}

std::vector<Section> Section::maps(std::string_view name) const {
  std::vector<Section> out;
  const YamlNode* node = list(name, key(name));
  if (node == nullptr) return out;
  const Place place = place_of(name);
  const std::string path = path_of(name) + "[]";
  for (size_t i = 0; i < node->children.size(); ++i) {
    const YamlNode& child = node->children[i];
    Place entry{child.line, place.key + "[" + std::to_string(i) + "]"};
    if (child.kind == YamlNode::Kind::kMap) {
      out.push_back(Section(&child, std::move(entry), path, *problems_));
    } else if (child.kind != YamlNode::Kind::kBroken) {
      problems_->error(entry, "is not a map", "write keys in it: " + keys_of(path));
    }
  }
  return out;
}

}  // namespace kg::config
