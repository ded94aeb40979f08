// RouteSnapshot: an immutable, versioned value: host and path to endpoint.
//
// A fixed array of hash shards, each shared with the snapshots before and after it unless an edit
// touched it. Built on the control thread, read by every worker; a worker pins an Endpoint, never
// the snapshot, for as long as an exchange needs it. Matching: the host's own routes first, then
// routes for any host; within each the longest prefix by path element wins (/a never matches /ab).
// Ports in a host are ignored (domain A24), a trailing dot and letter case too (K2). Cost: a few
// hash look-ups, whatever the number of routes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "routing/endpoint.h"

namespace kg::routing {

using EndpointRef = std::shared_ptr<const Endpoint>;

struct Route {
  std::string host;    // lower case, "" for any
  std::string prefix;  // "" or "/a/b"
  EndpointRef endpoint;
};

struct Match {
  const EndpointRef* endpoint = nullptr;  // null: no route
  std::string_view path;                  // after the prefix, begins with '/'
};

class RouteSnapshot {
 public:
  // Routes with equal host and prefix: the first one holds (the configuration refuses them).
  RouteSnapshot(uint64_t version, std::vector<Route> routes);

  // `authority`: Host as sent, with or without port. `path` begins with '/'.
  Match match(std::string_view authority, std::string_view path) const;
  uint64_t version() const noexcept { return version_; }
  const std::vector<EndpointRef>& endpoints() const noexcept { return endpoints_; }

 private:
  static constexpr size_t kShards = 256;
  struct KeyView {
    std::string_view host;
    std::string_view element;  // first of the path prefix, "" for none
    bool operator==(const KeyView&) const = default;
  };
  struct KeyHash {
    size_t operator()(const KeyView& key) const noexcept;
  };
  // Routes by host and first path element, longest prefix first; the keys are parts of their
  // routes.
  using Shard = std::unordered_map<KeyView, std::vector<Route>, KeyHash>;
  const Route* find(std::string_view host, std::string_view path) const;
  const Route* find_in(std::string_view host, std::string_view element,
                       std::string_view path) const;

  uint64_t version_;
  std::vector<EndpointRef> endpoints_;
  std::array<std::shared_ptr<const Shard>, kShards> shards_;
};

// Host of an authority: without port and trailing dot; lower case in `storage` if it was not.
std::string_view normalised_host(std::string_view authority, std::string& storage);

}  // namespace kg::routing
