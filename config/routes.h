// Finds endpoints that claim the same id, or the same host with the same path prefix: a request
// could go to either.
//
// Thread: control. Different prefixes never clash (the longest one wins), nor does a listed host
// with endpoints for any host (the listed one wins): routing/route_snapshot.h.
#pragma once

#include <string>
#include <unordered_map>

#include "config/problems.h"

namespace kg::config {

class RouteClaims {
 public:
  explicit RouteClaims(Problems& problems) : problems_(problems) {}

  void claim_id(const std::string& id, const Place& place);
  // `host` "": any.
  void claim_route(const std::string& host, const std::string& prefix, const Place& place);

 private:
  Problems& problems_;
  std::unordered_map<std::string, Place> ids_;
  std::unordered_map<std::string, Place> routes_;  // by host and prefix
};

}  // namespace kg::config
