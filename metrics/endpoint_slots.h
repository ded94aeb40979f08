// EndpointSlots gives each endpoint its place in every worker's counters, for the life of the
// process.
//
// Thread: slot_for on the control thread; names() from the scraping thread (guarded).
// Limits: the first `max` endpoints seen get a slot of their own; the rest share slot 0, `other`.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace kg::metrics {

struct EndpointName {
  std::string endpoint;
  std::string virtual_cluster;
};

class EndpointSlots {
 public:
  explicit EndpointSlots(uint32_t max);
  // The same pair always gets the same slot, also after its endpoint left the configuration.
  uint32_t slot_for(const std::string& virtual_cluster, const std::string& endpoint);
  // By slot; [0] is {"other", "other"}.
  std::vector<EndpointName> names() const;
  uint32_t capacity() const noexcept { return max_ + 1; }

 private:
  uint32_t max_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, uint32_t> slots_;
  std::vector<EndpointName> names_;
};

}  // namespace kg::metrics
