#include "config/schema.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "config/yaml_tree.h"
#include "config_folder.h"

namespace kg::config::schema_test {

using testing::Contains;
using testing::HasSubstr;

std::string row_of(const KeyInfo& key) {
  const std::string quote = key.has_default_value() ? "`" : "";
  std::string row = "| `" + std::string(key.path) + "` | " + std::string(key.type) + " | ";
  row += std::string(key.unit) + " | " + quote + std::string(key.fallback) + quote + " | ";
  return row + std::string(key.reason) + " |";
}

std::set<std::string> table_rows_of_readme() {
  std::set<std::string> rows;
  std::istringstream page(readme());
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("| `")) rows.insert(line);
  }
  return rows;
}

TEST(Schema, ReadmeDocumentsExactlyTheseKeys) {
  std::set<std::string> expected;
  for (const KeyInfo& key : schema()) expected.insert(row_of(key));
  for (const LaterKey& key : later_keys())
    expected.insert("| `" + std::string(key.path) + "` | " + std::string(key.instead) + " |");
  EXPECT_THAT(table_rows_of_readme(), testing::ContainerEq(expected));
}

TEST(Schema, PathsAreUniqueAndEveryKeyHasAReason) {
  std::set<std::string_view> paths;
  for (const KeyInfo& key : schema()) {
    EXPECT_TRUE(paths.insert(key.path).second) << key.path;
    EXPECT_FALSE(key.reason.empty()) << key.path;
    EXPECT_FALSE(key.fallback.empty()) << key.path;
    const size_t dot = key.path.rfind('.');
    if (dot == std::string_view::npos) continue;
    std::string_view parent = key.path.substr(0, dot);
    if (parent.ends_with("[]")) parent.remove_suffix(2);
    EXPECT_TRUE(paths.contains(parent)) << key.path << " stands before the key that holds it";
  }
  for (const LaterKey& key : later_keys()) EXPECT_EQ(find_key(key.path), nullptr) << key.path;
}

void collect_paths(const YamlNode& node, const std::string& path, std::set<std::string>& out) {
  if (!path.empty() && !path.ends_with("[]")) out.insert(path);
  for (const YamlNode& child : node.children) {
    std::string below = path + "[]";
    if (node.kind == YamlNode::Kind::kMap) below = (path.empty() ? "" : path + ".") + child.key;
    collect_paths(child, below, out);
  }
}

TEST(Schema, CompleteExampleHoldsEveryKeyAndIsFreeOfWarnings) {
  Problems problems("README.md");
  const auto tree = parse_tree(complete(), problems);
  ASSERT_TRUE(tree);
  std::set<std::string> present, expected;
  collect_paths(*tree, "", present);
  // Its keys are those of authenticators[].jwt.
  std::erase_if(present, [](const std::string& path) {
    return path.starts_with("endpoints[].sessions.jwt.");
  });
  for (const KeyInfo& key : schema()) expected.insert(std::string(key.path));
  EXPECT_THAT(present, testing::ContainerEq(expected));
  EXPECT_THAT(ConfigFolder().problems(complete()), testing::IsEmpty());
}

nlohmann::json to_json(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kScalar) return node.text;
  nlohmann::json out =
      node.kind == YamlNode::Kind::kMap ? nlohmann::json::object() : nlohmann::json::array();
  for (const YamlNode& child : node.children) {
    if (node.kind == YamlNode::Kind::kMap) {
      out[child.key] = to_json(child);
    } else {
      out.push_back(to_json(child));
    }
  }
  return out;
}

// "endpoints[].id" -> "/endpoints/0/id": the first entry of each list that leads to the key, which
// need not be there itself. "" if none does.
std::string way_to(const nlohmann::json& from, std::string_view path) {
  const size_t end = path.find_first_of(".[");
  const std::string name(path.substr(0, end));
  if (end == std::string_view::npos) return "/" + name;
  if (!from.is_object() || !from.contains(name)) return "";
  const nlohmann::json& below = from[name];
  if (path[end] == '.') {
    const std::string way = way_to(below, path.substr(end + 1));
    return way.empty() ? "" : "/" + name + way;
  }
  std::string fallback;
  for (size_t i = 0; i < below.size(); ++i) {
    const std::string way = way_to(below[i], path.substr(end + 3));
    if (way.empty()) continue;
    const std::string whole = "/" + name + "/" + std::to_string(i) + way;
    if (below[i].contains(nlohmann::json::json_pointer(way))) return whole;
    if (fallback.empty()) fallback = whole;
  }
  return fallback;
}

// "/endpoints/0/id" -> "endpoints[0].id"
std::string key_at(const std::string& way) {
  std::string out;
  for (size_t at = 0; at < way.size();) {
    const size_t end = std::min(way.find('/', at + 1), way.size());
    const std::string part = way.substr(at + 1, end - at - 1);
    if (part.find_first_not_of("0123456789") == std::string::npos) {
      out += "[" + part + "]";
    } else {
      out += (out.empty() ? "" : ".") + part;
    }
    at = end;
  }
  return out;
}

class SchemaKeys : public testing::Test {
 protected:
  SchemaKeys() {
    Problems problems("README.md");
    whole_ = to_json(*parse_tree(complete(), problems));
  }
  std::vector<ConfigError> errors_with(const nlohmann::json& changed) const {
    return folder_.load(changed.dump()).errors;
  }
  static std::vector<std::string> keys_of_errors(const std::vector<ConfigError>& errors) {
    std::vector<std::string> keys;
    for (const ConfigError& error : errors) {
      if (!error.warning) keys.push_back(error.key);
    }
    return keys;
  }

  nlohmann::json::json_pointer pointer_to(std::string_view path) const {
    return nlohmann::json::json_pointer(way_to(whole_, path));
  }
  std::string first_of(std::string_view path) const { return key_at(way_to(whole_, path)); }

  ConfigFolder folder_;
  nlohmann::json whole_;
};

TEST_F(SchemaKeys, TheExampleWorksAsJsonToo) {
  EXPECT_TRUE(keys_of_errors(errors_with(whole_)).empty());
}

TEST_F(SchemaKeys, EveryKeyIsReadAndJudged) {
  for (const KeyInfo& key : schema()) {
    for (const nlohmann::json& wrong :
         {nlohmann::json(nullptr), nlohmann::json::array({nlohmann::json::array()})}) {
      nlohmann::json changed = whole_;
      changed[pointer_to(key.path)] = wrong;
      EXPECT_THAT(keys_of_errors(errors_with(changed)),
                  Contains(testing::StartsWith(first_of(key.path))))
          << wrong;
    }
  }
}

// Keys without which another one of the example makes no sense: that one is then said to be wrong.
bool is_needed_by_another(std::string_view path) {
  static const std::set<std::string_view> kPaths{
      "listeners",
      "listeners[].tls",
      "listeners[].tls.client_certificates",
      "listeners[].tls.client_certificates.mode",
      "listeners[].trusted_proxies",
      "endpoints[].sessions.authenticators[].jwt.keys_file",
      "endpoints[].sessions.authenticators[].jwt.keys_url",
      "endpoints[].sessions.authenticators[].alb.keys_url",
      "endpoints[].sessions.authenticators[].delegated.url",
      "endpoints[].sessions.authenticators[].delegated.gateway",
      "endpoints[].sessions.operations[].allow",
      "endpoints[].sessions.operations[].deny",
      "endpoints[].quotas.requests_per_second",
      "feed.controller_keys",
      "feed.key_file",
  };
  return kPaths.contains(path);
}

TEST_F(SchemaKeys, OnlyRequiredKeysAreMissed) {
  for (const KeyInfo& key : schema()) {
    nlohmann::json changed = whole_;
    const auto pointer = pointer_to(key.path);
    changed[pointer.parent_pointer()].erase(pointer.back());
    const auto keys = keys_of_errors(errors_with(changed));
    if (is_needed_by_another(key.path)) {
      EXPECT_THAT(keys, testing::Not(testing::IsEmpty())) << key.path;
      EXPECT_EQ(testing::Value(keys, Contains(first_of(key.path))), key.is_required()) << key.path;
    } else if (key.is_required()) {
      EXPECT_THAT(keys, testing::ElementsAre(first_of(key.path)));
    } else if (key.is_one_of_several()) {
      const std::string whole = first_of(key.path);
      EXPECT_THAT(keys, testing::ElementsAre(whole.substr(0, whole.rfind('.'))));
    } else {
      EXPECT_THAT(keys, testing::IsEmpty()) << key.path;
    }
  }
}

TEST_F(SchemaKeys, LaterKeysAreRefusedByName) {
  for (const LaterKey& key : later_keys()) {
    std::string path(key.path);
    if (path.ends_with("*")) path.replace(path.size() - 1, 1, "session_tickets");
    nlohmann::json changed = whole_;
    changed[pointer_to(path)] = "x";
    const auto errors = errors_with(changed);
    ASSERT_EQ(errors.size(), 1U) << path;
    EXPECT_EQ(errors[0].key, first_of(path));
    EXPECT_EQ(errors[0].problem, "not supported by this version");
    EXPECT_THAT(errors[0].remedy, HasSubstr("remove it"));
  }
}

}  // namespace kg::config::schema_test
