#include "config/routes.h"

namespace kg::config {
namespace {

std::string named(const Place& place) {
  return place.key + " (line " + std::to_string(place.line) + ")";
}

}  // namespace

void RouteClaims::claim_id(const std::string& id, const Place& place) {
  const auto [first, is_new] = ids_.try_emplace(id, place);
  if (is_new) return;
  problems_.error(place, quote(id) + " is already the id of " + named(first->second),
                  "give every endpoint an id of its own");
}

void RouteClaims::claim_route(const std::string& host, const std::string& prefix,
                              const Place& place) {
  // A prefix begins with a slash, which no host holds: the pair is one string.
  const auto [first, is_new] = routes_.try_emplace(host + prefix, place);
  if (is_new) return;
  problems_.error(place, quote(host + prefix) + " is already a route of " + named(first->second),
                  "change the host or the path_prefix of one of the two");
}

}  // namespace kg::config
