// What tests of the feed share: items, scopes, a folder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "routing/feed/message.h"
#include "routing/feed/scope.h"

namespace kg::feed {

inline std::shared_ptr<const Item> item(const std::string& key, const std::string& payload,
                                        const std::string& scope_namespace = "analytics",
                                        const std::string& endpoint = "") {
  return std::make_shared<const Item>(
      Item{key, scope_namespace, endpoint, std::make_shared<const std::string>(payload)});
}
inline Change set(const std::string& key, const std::string& payload,
                  const std::string& scope_namespace = "analytics",
                  const std::string& endpoint = "") {
  return {item(key, payload, scope_namespace, endpoint), ""};
}
inline Change gone(const std::string& key) { return {nullptr, key}; }
inline Scope scope(const std::string& text) {
  std::string problem;
  return Scope::parse(text, problem).value();
}

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "kg-feed-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace kg::feed
