// RouteSnapshot: an immutable, versioned value: host and path to endpoint.
//
// A fixed array of hash shards, each shared with the snapshots before and after it unless an edit
// touched it. Built on the control thread, read by every worker; a worker pins an Endpoint, never
// the snapshot, for as long as an exchange needs it.
// Matching (domain K1 to K6): the host's own routes; if it has none, those of a wildcard for its
// first label; if nothing fits, routes for any host. Within each the longest path wins, an exact
// one before a prefix of the same length; prefixes match by element (/a never matches /ab). Ports
// in a host are ignored (domain A24), a trailing dot and letter case too.
// Cost: of a match a few hash look-ups, of an edit a copy of the shards that it touches, whatever
// the number of routes.
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

enum class PathType : uint8_t { kPrefix, kExact };

struct Route {
  std::string host;  // lower case, "*.suffix" for one label before it, "" for any
  std::string path;  // "" or "/a/b"; exact ones may end with a slash
  EndpointRef endpoint;
  PathType type = PathType::kPrefix;
  // For any host: not for those that have routes of their own. What one tenant announces does not
  // catch what another one's hosts leave over.
  bool unlisted_only = false;
};

// What is before the last element of an exact path, and all of a prefix.
std::string_view prefix_of(PathType type, std::string_view path) noexcept;

struct Match {
  const EndpointRef* endpoint = nullptr;  // null: no route
  // After the prefix (prefix_of()), begins with '/'.
  std::string_view path;
};

class RouteSnapshot {
 public:
  // Routes with equal host, path and type: the first one holds (the configuration refuses them).
  RouteSnapshot(uint64_t version, std::vector<Route> routes);

  // Without those routes (the host, path and type of each count) and with these.
  std::shared_ptr<const RouteSnapshot> edited(uint64_t version, const std::vector<Route>& without,
                                              std::vector<Route> with) const;

  // Is there a route with this one's host, path and type?
  bool has(const Route& route) const;

  // `authority`: Host as sent, with or without port. `path` begins with '/'.
  Match match(std::string_view authority, std::string_view path) const;
  uint64_t version() const noexcept { return version_; }

 private:
  static constexpr size_t kShards = 256;
  struct KeyView {
    std::string_view host;     // of a wildcard all but its star: ".example.com"
    std::string_view element;  // first of the path, "" for none
  };
  struct Key {
    std::string host;
    std::string element;
  };
  static KeyView view_of(const Key& key) noexcept { return {key.host, key.element}; }
  struct KeyHash {
    using is_transparent = void;
    size_t operator()(const KeyView& key) const noexcept;
    size_t operator()(const Key& key) const noexcept { return (*this)(view_of(key)); }
  };
  struct KeyEqual {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return std::string_view(a.host) == b.host && std::string_view(a.element) == b.element;
    }
  };
  // Routes by host and first path element, in the order of their precedence. A host with routes
  // has a group without element too, be it empty: that is how it is known.
  struct Group {
    std::vector<Route> routes;
    uint32_t of_host = 0;  // all routes of the host, in the group without element
  };
  using Shard = std::unordered_map<Key, std::shared_ptr<const Group>, KeyHash, KeyEqual>;
  struct Found {
    const Route* route = nullptr;
    bool host_known = false;
  };
  class Edit;

  RouteSnapshot(uint64_t version, const RouteSnapshot& before) noexcept
      : version_(version), shards_(before.shards_), wildcards_(before.wildcards_) {}
  static KeyView key_of(const Route& route) noexcept;
  const Group* group(const KeyView& key) const;
  // `listed`: the request's host has routes of its own.
  Found find(std::string_view host, std::string_view path, bool listed = false) const;

  uint64_t version_;
  std::array<std::shared_ptr<const Shard>, kShards> shards_;
  uint32_t wildcards_ = 0;  // routes
};

// Host of an authority: without port and trailing dot; lower case in `storage` if it was not.
std::string_view normalised_host(std::string_view authority, std::string& storage);

}  // namespace kg::routing
