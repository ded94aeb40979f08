// RouteBook: all routes that serve: those of the configuration file, and those that the feed
// announced.
//
// An update of the feed is taken whole or not at all. The file comes first: where it has the host
// and path, or the id, of an announced endpoint, that one does not serve.
// Owner:  the server. Thread: control. Cost: of an update what it changes; of a configuration all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "auth/sources.h"
#include "metrics/endpoint_slots.h"
#include "routing/announced.h"
#include "routing/feed/item.h"
#include "routing/route_snapshot.h"

namespace kg::routing {

class RouteBook {
 public:
  using Snapshot = std::shared_ptr<const RouteSnapshot>;
  // From one snapshot to the next.
  struct Change {
    Snapshot snapshot;
    std::vector<EndpointRef> gone;                   // what no route leads to any more
    std::vector<EndpointRef> fresh;                  // what serves instead, or beside
    std::set<std::string, std::less<>> judged_anew;  // ids whose sessions have other rules now
  };

  // `threads`: so many connect to pods.
  RouteBook(metrics::EndpointSlots& slots, auth::Sources& sources, PodBook& pods, size_t threads)
      : slots_(slots), sources_(sources), pods_(pods), contexts_(threads) {}

  // A configuration's. All that is announced stays.
  void adopt(Snapshot file, std::vector<EndpointRef> endpoints);
  // "" and a change, or what is wrong; then nothing has changed. Items that are no endpoints are
  // left to others.
  std::string update(std::span<const feed::Item> upserts, std::span<const std::string> deletes,
                     bool whole, Change& out);

  const Snapshot& snapshot() const noexcept { return snapshot_; }
  std::vector<EndpointRef> endpoints() const;
  size_t size() const noexcept { return file_endpoints_.size() + announced_.size(); }
  uint64_t next_version() const noexcept { return version_ + 1; }

 private:
  struct Held {
    std::shared_ptr<const std::string> payload;
    std::string id;
    crypto::Sha256 digest{};    // as of Announced
    std::vector<Route> routes;  // of those the file does not have
    std::vector<EndpointRef> endpoints;
  };
  struct Staged {
    Held held;
    Announced announced;
  };

  std::string stage(const feed::Item& item, std::map<std::string, Staged>& staged);
  std::string find_clash(const std::string& key, const Held& held,
                         const std::set<std::string>& leaving) const;
  void remove(const std::string& key, std::vector<Route>& without, Change& change);
  void add(const std::string& key, Staged staged, std::vector<Route>& with, Change& change);
  std::vector<Route> effective(const Held& held) const;

  metrics::EndpointSlots& slots_;
  auth::Sources& sources_;
  PodBook& pods_;
  TlsContextBook contexts_;
  uint64_t version_ = 0;
  Snapshot file_;
  std::vector<EndpointRef> file_endpoints_;
  std::set<std::string> file_ids_;
  Snapshot snapshot_;
  std::map<std::string, Held> announced_;      // by key of the feed
  std::map<std::string, std::string> ids_;     // of those to their keys
  std::map<std::string, std::string> owners_;  // of their routes, likewise
};

}  // namespace kg::routing
