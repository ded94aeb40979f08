#include "routing/route_snapshot.h"

#include <algorithm>
#include <functional>
#include <set>

#include "proxy/base/ascii.h"

namespace kg::routing {
namespace {

// "/a/b" -> "a"; "" and "/" -> "".
std::string_view first_element(std::string_view path) {
  if (path.empty()) return {};
  return path.substr(1, path.find('/', 1) - 1);
}

size_t shard_of(std::string_view host, std::string_view element, size_t shards) {
  const std::hash<std::string_view> hash;
  return (hash(host) * 31 + hash(element)) % shards;
}

bool covers(std::string_view prefix, std::string_view path) {
  return path.substr(0, prefix.size()) == prefix &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

RouteSnapshot::RouteSnapshot(uint64_t version, std::vector<Route> routes) : version_(version) {
  std::array<std::shared_ptr<Shard>, kShards> building;
  std::set<const Endpoint*> endpoints;
  for (Route& route : routes) {
    endpoints.insert(route.endpoint.get());
    auto& shard = building[shard_of(route.host, first_element(route.prefix), kShards)];
    if (shard == nullptr) shard = std::make_shared<Shard>();
    shard->push_back(std::move(route));
  }
  for (size_t i = 0; i < kShards; ++i) {
    if (building[i] == nullptr) continue;
    std::stable_sort(building[i]->begin(), building[i]->end(), [](const Route& a, const Route& b) {
      return a.prefix.size() > b.prefix.size();
    });
    shards_[i] = std::move(building[i]);
  }
  endpoints_ = endpoints.size();
}

const Route* RouteSnapshot::find_in(std::string_view host, std::string_view element,
                                    std::string_view path) const {
  const auto& shard = shards_[shard_of(host, element, kShards)];
  if (shard == nullptr) return nullptr;
  for (const Route& route : *shard) {
    if (route.host == host && covers(route.prefix, path)) return &route;
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
