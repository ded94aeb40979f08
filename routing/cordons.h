// Cordons: the pods that operators closed for new kernels, by endpoint and name, and their text
// form.
//
// By name, because a pod that comes back under its name, perhaps at another address, is what the
// operator meant; and whether or not the configuration has it now. A value; pure.
// Limits: limits::kCordonsMax.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace kg::routing {

class Cordons {
 public:
  // What text() gives: "ENDPOINT POD" a line; empty lines and those that begin with # do not
  // count. nullopt, and what is wrong, for anything else.
  static std::optional<Cordons> parse(std::string_view text, std::string& problem);
  std::string text() const;

  bool has(const std::string& endpoint, const std::string& pod) const {
    return pods_.contains({endpoint, pod});
  }
  // Both are names as the configuration has them. False if there is no room; true if it stood
  // there already.
  bool add(const std::string& endpoint, const std::string& pod);
  bool remove(const std::string& endpoint, const std::string& pod) {  // false: it did not stand
    return pods_.erase({endpoint, pod}) > 0;
  }
  const std::set<std::pair<std::string, std::string>>& all() const noexcept { return pods_; }
  bool operator==(const Cordons&) const = default;

 private:
  std::set<std::pair<std::string, std::string>> pods_;  // endpoint, pod
};

}  // namespace kg::routing
