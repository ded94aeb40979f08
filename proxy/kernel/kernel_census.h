// How many kernels a gateway's list holds, and what they do.
//
// As strict as kernel::KernelList about what a list is: what cannot be judged entry by entry
// counts as unknown, never as few. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace kg::kernel {

struct KernelCensus {
  uint32_t busy = 0;
  uint32_t idle = 0;
  uint32_t other = 0;   // starting, restarting, dead, or what no gateway of today says
  uint32_t copies = 0;  // entries of kernels that another pod holds

  uint32_t kernels() const noexcept { return busy + idle + other; }
  bool operator==(const KernelCensus&) const = default;
};

// `is_held`: whether the pod that sent the list holds the kernel of that id. nullopt for anything
// but one JSON array of at most kListEntriesMax objects, each with one `id` that is_kernel_id().
std::optional<KernelCensus> take_census(std::string_view list,
                                        const std::function<bool(std::string_view)>& is_held);

}  // namespace kg::kernel
