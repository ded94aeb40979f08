// Problems collects what is wrong with one file, from every stage of loading.
//
// Owner: load_text. Thread: control. Limits: kProblemsMax entries, then one that says so.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace kg::config {

inline constexpr size_t kProblemsMax = 1'000;  // beyond it nobody reads on

class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void error(const Place& place, std::string problem, std::string remedy);
  void warn(const Place& place, std::string problem, std::string remedy);
  bool has_errors() const noexcept { return has_errors_; }
  // In file order; those of one line in the order in which they were found.
  std::vector<ConfigError> take();

 private:
  void add(const Place& place, std::string problem, std::string remedy, bool warning);

  std::string file_;
  std::vector<ConfigError> entries_;
  bool has_errors_ = false;
  bool overflowed_ = false;
};

// A value of the file for a message: quoted, at most 60 bytes.
std::string quote(std::string_view value);

}  // namespace kg::config
