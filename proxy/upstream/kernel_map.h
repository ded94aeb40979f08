// KernelMap: at which pod of an endpoint this worker last saw a kernel, and how many restarts of
// that pod had been suspected until then (routing/placement.h).
//
// What a tag does not say is learned: kernels that were not minted here, those that a gateway gave
// an id of its own, re-homed ones, and with replication which ids a pod has loaded since it
// restarted. What is forgotten costs a question, never a wrong answer.
// Owner:  the LocalEndpoint. Thread: the worker's.
// Limits: kKnownKernelsPerPod for each pod, all of them together; beyond, any other goes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "routing/placement.h"

namespace kg::upstream {

class KernelMap {
 public:
  explicit KernelMap(size_t pods) noexcept;

  void saw(std::string_view id, routing::KnownAt at);
  void forget(std::string_view id);
  std::optional<routing::KnownAt> find(std::string_view id) const;
  size_t size() const noexcept { return known_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view id) const noexcept {
      return std::hash<std::string_view>()(id);
    }
  };
  size_t most_;
  std::unordered_map<std::string, routing::KnownAt, Hash, std::equal_to<>> known_;
};

}  // namespace kg::upstream
