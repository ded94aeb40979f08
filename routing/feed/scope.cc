#include "routing/feed/scope.h"

#include <algorithm>

#include "proxy/base/ascii.h"
#include "routing/feed/limits.h"

namespace kg::feed {
namespace {

constexpr size_t kKeyTextBytes = 40;  // 32 bytes in z85 (ZeroMQ RFC 32)

// As Kubernetes names namespaces, and endpoints may be called in configurations.
bool is_word(std::string_view text, size_t bytes_max) noexcept {
  return !text.empty() && text.size() <= bytes_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

bool is_key_text(std::string_view text) noexcept {
  return text.size() == kKeyTextBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<std::string_view> text_after(std::string_view text,
                                           std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

}  // namespace

Scope Scope::all() {
  Scope scope;
  scope.all_ = true;
  return scope;
}

std::optional<Scope> Scope::parse(std::string_view text, std::string& problem) {
  if (text == "all") return all();
  Scope scope;
  bool good = true;
  ascii::for_each_element(text, [&](std::string_view element) {
    if (const auto name = text_after(element, "namespace:");
        name && is_word(*name, kNamespaceBytesMax)) {
      scope.namespaces_.emplace(*name);
      return;
    }
    const std::string_view place = text_after(element, "endpoint:").value_or("");
    const size_t slash = std::min(place.find('/'), place.size());
    const std::string_view name = place.substr(0, slash);
    const std::string_view id = place.substr(std::min(slash + 1, place.size()));
    good = good && is_word(name, kNamespaceBytesMax) && is_word(id, kEndpointBytesMax);
    if (good) scope.endpoints_.emplace(name, id);
  });
  const size_t names = scope.namespaces_.size() + scope.endpoints_.size();
  if (!good || names == 0) {
    problem = "a scope is \"all\", or a list of namespace:NAME and endpoint:NAMESPACE/ID";
    return std::nullopt;
  }
  if (names > kScopeNamesMax) {
    problem = "a scope names more than " + std::to_string(kScopeNamesMax) + " things";
    return std::nullopt;
  }
  return scope;
}

bool Scope::sees(std::string_view scope_namespace, std::string_view endpoint) const noexcept {
  if (all_ || scope_namespace.empty() || namespaces_.contains(scope_namespace)) return true;
  return has_endpoint(scope_namespace, endpoint);
}

bool Scope::speaks_for(std::string_view scope_namespace, std::string_view endpoint) const noexcept {
  if (all_) return true;
  if (scope_namespace.empty()) return false;
  return namespaces_.contains(scope_namespace) ||
         (endpoint != kEveryEndpoint && has_endpoint(scope_namespace, endpoint));
}

bool Scope::has_endpoint(std::string_view scope_namespace,
                         std::string_view endpoint) const noexcept {
  return std::any_of(endpoints_.begin(), endpoints_.end(), [&](const Place& place) {
    return place.first == scope_namespace &&
           (place.second == endpoint || endpoint == kEveryEndpoint);
  });
}

std::vector<Scope::Place> Scope::places() const {
  if (all_) return {{"", ""}};
  std::vector<Place> out;
  for (const std::string& name : namespaces_) out.emplace_back(name, kEveryEndpoint);
  out.insert(out.end(), endpoints_.begin(), endpoints_.end());
  return out;
}

std::string Scope::text() const {
  if (all_) return "all";
  std::string out;
  for (const std::string& name : namespaces_) out += ",namespace:" + name;
  for (const auto& [name, id] : endpoints_) {
    out.append(",endpoint:").append(name).append("/").append(id);
  }
  return out.empty() ? out : out.substr(1);
}

std::optional<AllowList> AllowList::parse(std::string_view text, std::string& problem) {
  AllowList out;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line == "#" || line.starts_with("# ")) continue;
    const std::string_view key = line.substr(0, kKeyTextBytes);
    std::string wrong = "is not a key of 40 characters, a space and a scope";
    std::optional<Scope> scope;
    if (is_key_text(key) && line.size() > kKeyTextBytes && line[kKeyTextBytes] == ' ') {
      scope = Scope::parse(ascii::trim(line.substr(kKeyTextBytes + 1)), wrong);
    }
    const bool known = out.find(key) != nullptr;
    if (scope) wrong = known ? "has a key that stands above" : "is one too many";
    if (!scope || !out.add(std::string(key), *std::move(scope))) {
      problem = "line " + std::to_string(number) + ": " + wrong;
      return std::nullopt;
    }
  }
  return out;
}

bool AllowList::add(std::string key, Scope scope) {
  if (scopes_.size() >= kAllowedKeysMax) return false;
  return scopes_.emplace(std::move(key), std::move(scope)).second;
}

const Scope* AllowList::find(std::string_view key) const noexcept {
  const auto at = scopes_.find(key);
  return at == scopes_.end() ? nullptr : &at->second;
}

}  // namespace kg::feed
