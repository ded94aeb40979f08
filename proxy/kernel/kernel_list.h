// A gateway's list of kernels, read once and shared by all who ask (domain R5, G28).
//
// Entries pass as the bytes they are, but for one repair: clients parse `last_activity` with a
// fraction of a second, and gateways leave a zero one out (G30).
//
// What cannot be judged entry by entry is refused whole, because a list with gaps looks to clients
// as if kernels had been culled: anything but one JSON array (RFC 8259, UTF-8) of objects, more
// than kListBytesMax or kListEntriesMax entries, more than 32 levels, an entry without exactly one
// `id` that is_kernel_id(), escapes in the names of its members. Elsewhere members may stand twice,
// and the last one counts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace kg::kernel {

struct ListedKernel {
  enum class State : uint8_t { kOther, kIdle, kBusy };

  std::string_view id;
  uint64_t since = 0;              // KernelList::follow()
  std::string_view text;           // the entry as the gateway wrote it
  std::string_view last_activity;  // as written, "" if there is none
  uint32_t fraction_at = 0;        // of the text, where one is missing; 0: nowhere
  uint32_t connections = 0;
  State state = State::kOther;
};

using ListedKernels = std::vector<const ListedKernel*>;

class KernelList {
 public:
  // nullopt if refused.
  static std::optional<KernelList> read(std::string body);

  // In the gateway's order. They and their texts live as long as this list, which may move.
  const std::vector<ListedKernel>& kernels() const noexcept { return kernels_; }
  ListedKernels all() const;
  const ListedKernel* find(std::string_view id) const noexcept;
  // Tells what is new in it: `since` of an entry becomes what it was in the list before (which may
  // be null), else `serial`.
  void follow(const KernelList* before, uint64_t serial);

 private:
  explicit KernelList(std::string body)
      : body_(std::make_unique<const std::string>(std::move(body))) {}

  std::unique_ptr<const std::string> body_;
  std::vector<ListedKernel> kernels_;
  std::unordered_map<std::string_view, size_t> index_;  // by id, into kernels_
};

// Adds it to a JSON array, which begins with "[".
void append_listed(const ListedKernel& kernel, std::string& out);

// What the place of an entry says of it.
enum class Claim : uint8_t {
  kNone,   // stands in the wrong list, or is not for the caller
  kHeld,   // that list is its holder's
  kMaybe,  // any list may be: the one with connections counts, else that of the latest activity
};

// Those of several pods' kernels that count, each id once, in the order of the lists. `judge` is
// asked once for each entry, with the index of its list.
ListedKernels merge_kernel_lists(
    std::span<const ListedKernels> lists,
    const std::function<Claim(size_t list, const ListedKernel& kernel)>& judge);

}  // namespace kg::kernel
