// Scope: which items a proxy may be sent, and AllowList: which key has which scope.
//
// An item without a namespace is everybody's. A key of one endpoint sees that endpoint in its
// namespace, what concerns all endpoints there (kEveryEndpoint), and nothing else of it,
// certificates neither: a sidecar that needs them has a key of the namespace. Values; pure; any
// thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/feed/item.h"

namespace kg::feed {

// In the place of an endpoint: whoever may see any endpoint of the namespace sees it, and whoever
// may speak for the whole namespace says it. No endpoint is called so.
inline constexpr std::string_view kEveryEndpoint = "*";

class Scope {
 public:
  using Place = std::pair<std::string, std::string>;  // namespace, endpoint
  static Scope all();
  // "all", or elements "namespace:NAME" and "endpoint:NAMESPACE/ID" with commas between them.
  // nullopt, and what is wrong, for anything else.
  static std::optional<Scope> parse(std::string_view text, std::string& problem);

  bool sees(std::string_view scope_namespace, std::string_view endpoint) const noexcept;
  bool sees(const Item& item) const noexcept { return sees(item.scope_namespace, item.endpoint); }
  // May the holder of this scope say something that concerns these? Nothing is everybody's here.
  bool speaks_for(std::string_view scope_namespace, std::string_view endpoint) const noexcept;
  bool is_all() const noexcept { return all_; }
  // The widest that it speaks for: everybody's ("", ""), or namespaces, with kEveryEndpoint, and
  // endpoints.
  std::vector<Place> places() const;
  std::string text() const;  // as parse() reads it
  // NOLINTNEXTLINE(modernize-use-nullptr): item.h says why
  auto operator<=>(const Scope&) const = default;

 private:
  bool has_endpoint(std::string_view scope_namespace, std::string_view endpoint) const noexcept;

  bool all_ = false;
  std::set<std::string, std::less<>> namespaces_;
  std::set<Place> endpoints_;
};

// A line for each key: its 40 characters (z85), a space, its scope. Empty lines and those that
// begin with "# " do not count ("#" begins a key too). A line that cannot be read, or a key twice,
// makes the whole list unusable: a misspelt restriction must not become none.
// Limits: kAllowedKeysMax, kScopeNamesMax.
class AllowList {
 public:
  static std::optional<AllowList> parse(std::string_view text, std::string& problem);
  // False if it stands there or there is no room.
  bool add(std::string key, Scope scope);
  // Null: not allowed.
  const Scope* find(std::string_view key) const noexcept;
  size_t size() const noexcept { return scopes_.size(); }

 private:
  std::map<std::string, Scope, std::less<>> scopes_;
};

}  // namespace kg::feed
