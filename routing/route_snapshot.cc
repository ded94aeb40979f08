#include "routing/route_snapshot.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <tuple>

#include "proxy/base/ascii.h"

namespace kg::routing {
namespace {

// "/a/b" -> "a"; "" and "/" -> "".
std::string_view first_element(std::string_view path) {
  if (path.empty()) return {};
  return path.substr(1, path.find('/', 1) - 1);
}

bool covers(std::string_view prefix, std::string_view path) {
  return path.substr(0, prefix.size()) == prefix &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

size_t RouteSnapshot::KeyHash::operator()(const KeyView& key) const noexcept {
  const std::hash<std::string_view> hash;
  return hash(key.host) * 31 + hash(key.element);
}

RouteSnapshot::RouteSnapshot(uint64_t version, std::vector<Route> routes) : version_(version) {
  std::set<const Endpoint*> known;
  // Sorted whole, so that each key's routes lie side by side, longest prefix first.
  std::stable_sort(routes.begin(), routes.end(), [](const Route& a, const Route& b) {
    const auto rank = [](const Route& route) {
      return std::make_tuple(std::string_view(route.host), first_element(route.prefix));
    };
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return a.prefix.size() > b.prefix.size();
  });
  std::array<std::shared_ptr<Shard>, kShards> building;
  for (auto first = routes.begin(); first != routes.end();) {
    const KeyView wanted{first->host, first_element(first->prefix)};
    const auto last = std::find_if(first, routes.end(), [&](const Route& route) {
      return !(KeyView{route.host, first_element(route.prefix)} == wanted);
    });
    auto& shard = building[KeyHash()(wanted) % kShards];
    if (shard == nullptr) shard = std::make_shared<Shard>();
    std::vector<Route> group(std::make_move_iterator(first), std::make_move_iterator(last));
    for (const Route& route : group) {
      if (known.insert(route.endpoint.get()).second) endpoints_.push_back(route.endpoint);
    }
    // The vector's storage, and with it the views of the key, stays where it is when moved.
    const KeyView key{group.front().host, first_element(group.front().prefix)};
    shard->emplace(key, std::move(group));
    first = last;
  }
  for (size_t i = 0; i < kShards; ++i) shards_[i] = std::move(building[i]);
}

const Route* RouteSnapshot::find_in(std::string_view host, std::string_view element,
                                    std::string_view path) const {
  const KeyView key{host, element};
  const auto& shard = shards_[KeyHash()(key) % kShards];
  if (shard == nullptr) return nullptr;
  const auto found = shard->find(key);
  if (found == shard->end()) return nullptr;
  for (const Route& route : found->second) {
    if (covers(route.prefix, path)) return &route;
  }
  return nullptr;
}

const Route* RouteSnapshot::find(std::string_view host, std::string_view path) const {
  const std::string_view element = first_element(path);
  const Route* route = element.empty() ? nullptr : find_in(host, element, path);
  return route != nullptr ? route : find_in(host, {}, path);
}

Match RouteSnapshot::match(std::string_view authority, std::string_view path) const {
  std::string storage;
  const std::string_view host = normalised_host(authority, storage);
  const Route* route = find(host, path);
  if (route == nullptr) route = find({}, path);
  if (route == nullptr) return {};
  std::string_view rest = path;
  rest.remove_prefix(route->prefix.size());
  return {&route->endpoint, rest.empty() ? std::string_view("/") : rest};
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
