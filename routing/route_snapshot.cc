#include "routing/route_snapshot.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "proxy/base/ascii.h"

namespace kg::routing {
namespace {

// "/a/b" -> "a"; "" and "/" -> "".
std::string_view first_element(std::string_view path) {
  if (path.empty()) return {};
  return path.substr(1, path.find('/', 1) - 1);
}

bool is_wildcard(const Route& route) noexcept { return route.host.starts_with("*."); }

bool fits(const Route& route, std::string_view path) noexcept {
  if (route.type == PathType::kExact) return path == route.path;
  return path.starts_with(route.path) &&
         (path.size() == route.path.size() || path[route.path.size()] == '/');
}

bool same_rule(const Route& a, const Route& b) noexcept {
  return a.type == b.type && a.host == b.host && a.path == b.path;
}

bool before(const Route& a, const Route& b) noexcept {
  if (a.path.size() != b.path.size()) return a.path.size() > b.path.size();
  return a.type == PathType::kExact && b.type == PathType::kPrefix;
}

}  // namespace

std::string_view prefix_of(PathType type, std::string_view path) noexcept {
  return type == PathType::kExact ? path.substr(0, path.rfind('/')) : path;
}

size_t RouteSnapshot::KeyHash::operator()(const KeyView& key) const noexcept {
  const std::hash<std::string_view> hash;
  return hash(key.host) * 31 + hash(key.element);
}

RouteSnapshot::KeyView RouteSnapshot::key_of(const Route& route) noexcept {
  const std::string_view host(route.host);
  return {is_wildcard(route) ? host.substr(1) : host, first_element(route.path)};
}

// Copies each shard that it touches once.
class RouteSnapshot::Edit {
 public:
  explicit Edit(RouteSnapshot& snapshot) : snapshot_(snapshot) {}
  ~Edit() {
    for (size_t i = 0; i < kShards; ++i) {
      if (fresh_[i] != nullptr) snapshot_.shards_[i] = std::move(fresh_[i]);
    }
  }
  Edit(const Edit&) = delete;
  Edit& operator=(const Edit&) = delete;

  void remove(const Route& route) {
    const KeyView key = key_of(route);
    Group& group = group_of(key);
    const auto found = std::find_if(group.routes.begin(), group.routes.end(),
                                    [&](const Route& other) { return same_rule(other, route); });
    if (found != group.routes.end()) {
      if (is_wildcard(route)) --snapshot_.wildcards_;
      group.routes.erase(found);
      --group_of({key.host, {}}).of_host;
    }
    sweep(key);
    sweep({key.host, {}});
  }

  void add(Route route) {
    const KeyView key = key_of(route);
    std::vector<Route>& routes = group_of(key).routes;
    if (std::ranges::any_of(routes, [&](const Route& other) { return same_rule(other, route); })) {
      return;
    }
    if (is_wildcard(route)) ++snapshot_.wildcards_;
    ++group_of({key.host, {}}).of_host;
    std::vector<Route>& at = group_of(key).routes;
    at.insert(std::upper_bound(at.begin(), at.end(), route, before), std::move(route));
  }

 private:
  Shard& shard_of(const KeyView& key) {
    const size_t at = KeyHash()(key) % kShards;
    if (fresh_[at] == nullptr) {
      const auto& old = snapshot_.shards_[at];
      fresh_[at] = old != nullptr ? std::make_shared<Shard>(*old) : std::make_shared<Shard>();
    }
    return *fresh_[at];
  }

  // A group of this edit's own.
  Group& group_of(const KeyView& key) {
    Shard& shard = shard_of(key);
    auto entry = shard.find(key);
    if (entry == shard.end()) {
      entry = shard.emplace(Key{std::string(key.host), std::string(key.element)}, nullptr).first;
    }
    std::shared_ptr<Group>& own = own_[&*entry];
    if (own == nullptr) {
      own = entry->second != nullptr ? std::make_shared<Group>(*entry->second)
                                     : std::make_shared<Group>();
      entry->second = own;
    }
    return *own;
  }

  void sweep(const KeyView& key) {
    Shard& shard = shard_of(key);
    const auto entry = shard.find(key);
    if (entry == shard.end()) return;
    if (!entry->second->routes.empty() || entry->second->of_host > 0) return;
    own_.erase(&*entry);
    shard.erase(entry);
  }

  RouteSnapshot& snapshot_;
  std::array<std::shared_ptr<Shard>, kShards> fresh_;
  std::unordered_map<const Shard::value_type*, std::shared_ptr<Group>> own_;
};

RouteSnapshot::RouteSnapshot(uint64_t version, std::vector<Route> routes) : version_(version) {
  Edit edit(*this);
  for (Route& route : routes) edit.add(std::move(route));
}

std::shared_ptr<const RouteSnapshot> RouteSnapshot::edited(uint64_t version,
                                                           const std::vector<Route>& without,
                                                           std::vector<Route> with) const {
  std::shared_ptr<RouteSnapshot> next(new RouteSnapshot(version, *this));
  {
    Edit edit(*next);
    for (const Route& route : without) edit.remove(route);
    for (Route& route : with) edit.add(std::move(route));
  }
  return next;
}

bool RouteSnapshot::has(const Route& route) const {
  const Group* own = group(key_of(route));
  return own != nullptr && std::ranges::any_of(own->routes, [&](const Route& other) {
           return same_rule(other, route);
         });
}

const RouteSnapshot::Group* RouteSnapshot::group(const KeyView& key) const {
  const auto& shard = shards_[KeyHash()(key) % kShards];
  if (shard == nullptr) return nullptr;
  const auto found = shard->find(key);
  return found == shard->end() ? nullptr : found->second.get();
}

RouteSnapshot::Found RouteSnapshot::find(std::string_view host, std::string_view path,
                                         bool listed) const {
  const std::string_view element = first_element(path);
  Found found;
  if (!element.empty()) {
    if (const Group* own = group({host, element})) {
      for (const Route& route : own->routes) {
        if (fits(route, path) && !(listed && route.unlisted_only)) return {&route, true};
      }
    }
  }
  const Group* rest = group({host, {}});
  if (rest == nullptr) return found;
  found.host_known = true;
  for (const Route& route : rest->routes) {
    if (!fits(route, path) || (listed && route.unlisted_only)) continue;
    found.route = &route;
    break;
  }
  return found;
}

Match RouteSnapshot::match(std::string_view authority, std::string_view path) const {
  std::string storage;
  const std::string_view host = normalised_host(authority, storage);
  Found found;
  // No name begins with a dot, and that is how the keys of wildcards do.
  if (!host.starts_with('.')) {
    if (!host.empty()) found = find(host, path);
    const size_t dot = host.find('.');
    if (!found.host_known && wildcards_ > 0 && dot != std::string_view::npos) {
      found = find(host.substr(dot), path);
    }
  }
  if (found.route == nullptr) found = find({}, path, found.host_known);
  if (found.route == nullptr) return {};
  const std::string_view rest = path.substr(prefix_of(found.route->type, found.route->path).size());
  return {&found.route->endpoint, rest.empty() ? std::string_view("/") : rest};
}

std::string_view normalised_host(std::string_view authority, std::string& storage) {
  std::string_view host = authority;
  const size_t bracket = host.rfind(']');  // "[::1]:8443"
  const size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  host = host.substr(0, colon);
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  const bool upper =
      std::any_of(host.begin(), host.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!upper) return host;
  storage = ascii::lower(host);
  return storage;
}

}  // namespace kg::routing
