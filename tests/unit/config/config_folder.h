// ConfigFolder: a temporary folder with the files that configurations name, and the pages of this
// repository's config/README.md.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/loader.h"

namespace kg::config {

class ConfigFolder {
 public:
  ConfigFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kg-config-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = pattern;
    for (const char* name :
         {"tls/server.crt", "tls/clients-ca.crt", "tls/gateway-ca.crt", "tls/proxy.crt",
          "tls/guests-ca.crt", "tls/login-ca.crt", "tls/auth-ca.crt", "secrets/jwks.json",
          "secrets/partners.json", "secrets/tokens", "tls/aws-ca.crt"})
      write(name, "x", 0644);
    for (const char* name :
         {"tls/server.key", "tls/proxy.key", "secrets/gateway-token", "secrets/ticket-keys",
          "secrets/kernel-id-keys", "secrets/introspection", "secrets/admin-token",
          "secrets/revocations", "secrets/audit-key", "secrets/feed-key"})
      write(name, "x", 0600);
  }
  ~ConfigFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, std::string_view text, mode_t mode) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(path(name)) << text;
    chmod(path(name).c_str(), mode);
  }
  Loaded load(std::string_view text) const { return load_text(text, path("kernelgate.yaml")); }
  // "LINE KEY: PROBLEM", with "~" before a warning: the remedy is for people.
  std::vector<std::string> problems(std::string_view text) const {
    std::vector<std::string> out;
    for (const ConfigError& error : load(text).errors) {
      EXPECT_EQ(error.file, path("kernelgate.yaml"));
      EXPECT_FALSE(error.remedy.empty()) << error.problem;
      out.push_back((error.warning ? "~" : "") + std::to_string(error.line) + " " + error.key +
                    ": " + error.problem);
    }
    return out;
  }

 private:
  std::filesystem::path folder_;
};

inline std::string readme() {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  std::ifstream file(root.parent_path() / "config" / "README.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The n-th ```yaml block of config/README.md.
inline std::string readme_example(int n) {
  const std::string page = readme();
  constexpr std::string_view kFence = "```yaml\n";
  size_t begin = 0;
  for (int i = 0; i <= n; ++i) {
    begin = page.find(kFence, begin);
    if (begin == std::string::npos) return "";
    begin += kFence.size();
  }
  return page.substr(begin, page.find("```", begin) - begin);
}

inline std::string minimal() { return readme_example(0); }
inline std::string complete() { return readme_example(1); }

// `text` with its only `from` replaced.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

}  // namespace kg::config
