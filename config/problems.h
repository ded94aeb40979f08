// Problems collects what is wrong with one file, from every stage of loading.
//
// Owner: load_text. Thread: control. Limits: kProblemsMax entries, then one that says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace kg::config {

inline constexpr size_t kProblemsMax = 1'000;  // beyond it nobody reads on

// What a key is that the schema does not have: an error, since it is mostly a slip; or a warning,
// where a newer program wrote it and may know more keys than this one.
enum class UnknownKeys : uint8_t { kRefused, kIgnored };

class Problems {
 public:
  explicit Problems(std::string file, UnknownKeys unknown_keys = UnknownKeys::kRefused)
      : file_(std::move(file)), unknown_keys_(unknown_keys) {}

  void error(const Place& place, std::string problem, std::string remedy);
  void warn(const Place& place, std::string problem, std::string remedy);
  bool has_errors() const noexcept { return has_errors_; }
  bool ignores_unknown_keys() const noexcept { return unknown_keys_ == UnknownKeys::kIgnored; }
  // In file order; those of one line in the order in which they were found.
  std::vector<ConfigError> take();

 private:
  void add(const Place& place, std::string problem, std::string remedy, bool warning);

  std::string file_;
  UnknownKeys unknown_keys_;
  std::vector<ConfigError> entries_;
  bool has_errors_ = false;
  bool overflowed_ = false;
};

// A value of the file for a message: quoted, at most 60 bytes.
std::string quote(std::string_view value);

}  // namespace kg::config
