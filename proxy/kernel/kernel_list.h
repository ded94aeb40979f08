// A gateway's list of kernels, reduced to those that a caller may see (domain R5, G28).
//
// Entries pass as the bytes they are, but for one repair: clients parse `last_activity` with a
// fraction of a second, and gateways leave a zero one out (G30).
//
// What cannot be judged entry by entry is refused whole, because a list with gaps looks to clients
// as if kernels had been culled: anything but one JSON array (RFC 8259, UTF-8) of objects, more
// than kListEntriesMax entries, more than 32 levels, an entry without exactly one `id` that
// is_kernel_id(), escapes in the names of its members. Elsewhere members may stand twice.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kg::kernel {

// The array of those entries for whose id `keep` is true, in their order; nullopt if refused.
std::optional<std::string> filter_kernel_list(std::string_view body,
                                              const std::function<bool(std::string_view)>& keep);

}  // namespace kg::kernel
