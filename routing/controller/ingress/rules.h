// Hosts and paths of an Ingress's rules: what they may be, and their one form (domain K1, K2, K5).
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kg::ingress {

struct HostText {
  std::optional<std::string> host;  // lower case; "*.example.com"; "" is any host
  std::string problem;
};
// `text` as in a rule. Letter case is forgiven, since names are compared without it (K2).
HostText parse_rule_host(std::string_view text);

enum class PathType : uint8_t { kExact, kPrefix };

struct PathText {
  std::optional<std::string> path;  // begins with '/'; a prefix ends without one, but "/" itself
  PathType type = PathType::kPrefix;
  std::string problem;
};
// `type` as in a rule. ImplementationSpecific is Prefix; a "/*" at its end, as load balancers have
// it, counts as "/".
PathText parse_rule_path(std::string_view text, std::string_view type);

// "*.example.com" of "a.example.com", "" of what has no dot or is a wildcard itself.
std::string wildcard_of(std::string_view host);
// Whether `name` of a certificate speaks for the rule's host: equal, or a wildcard for one label.
bool covers(std::string_view name, std::string_view host);
// "/a" of "/a/b": who has it owns what is below it, where no host says whose it is.
std::string first_element(std::string_view path);

}  // namespace kg::ingress
