#include "proxy/exchange/list_gathering.h"

#include <algorithm>
#include <map>
#include <utility>

#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::exchange {
namespace {

// What a client is told of a pod's failure. Only what does not pass by itself is told apart.
Error told(const Error& error) {
  if (error.code == ErrorCode::kListRefused || error.code == ErrorCode::kUpstreamToken)
    return error;
  return {ErrorCode::kListIncomplete,
          *error.detail != '\0' ? error.detail : error.row().label.data(), 0};
}

}  // namespace

// A pod that is waited for.
class ListGathering::Seat final : private upstream::KernelListWaiter {
 public:
  Seat(ListGathering& gathering, size_t index) : gathering_(gathering), index_(index) {}
  ~Seat() { pod().lists.cancel(*this); }

  // Null: it comes later.
  Result<upstream::PodListRef> begin() { return pod().lists.get(*this); }
  size_t index() const noexcept { return index_; }

 private:
  upstream::LocalPod& pod() const noexcept { return *gathering_.lists_[index_].pod; }
  void on_kernel_list(const Result<upstream::PodListRef>& list) override {
    gathering_.on_answer(index_, list);
  }

  ListGathering& gathering_;
  size_t index_;
};

ListGathering::ListGathering(event::EventLoop& loop, upstream::LocalEndpoint& endpoint,
                             std::shared_ptr<const kernel::KernelIdKeys> keys,
                             ListGatheringOwner& owner)
    : loop_(loop), endpoint_(endpoint), keys_(std::move(keys)), owner_(owner) {}

ListGathering::~ListGathering() = default;

// An endpoint's only pod is used whatever its checks say.
bool ListGathering::is_out(const routing::Pod& pod) const noexcept {
  return endpoint_.pods.size() > 1 && pod.facts->gone();
}

std::optional<Result<void>> ListGathering::begin() {
  for (uint32_t i = 0; i < endpoint_.pods.size(); ++i) {
    upstream::LocalPod& pod = *endpoint_.pods[i];
    if (is_out(pod.pod)) continue;
    GatheredList& part = lists_.emplace_back();
    part.pod = &pod;
    part.index = i;
  }
  for (size_t i = 0; i < lists_.size(); ++i) {
    const Result<void> asked = ask(i);
    if (!asked) return asked;
  }
  // Those that were waited for by others already.
  std::erase_if(seats_, [this](const auto& seat) {
    GatheredList& part = lists_[seat->index()];
    return part.pod->lists.waited_us() >= uint64_t{limits::kListPatienceMs} * 1'000 &&
           take_last_known(part);
  });
  return progress();
}

Result<void> ListGathering::ask(size_t index) {
  GatheredList& part = lists_[index];
  auto seat = std::make_unique<Seat>(*this, index);
  const Result<upstream::PodListRef> list = seat->begin();
  if (!list && !take_last_known(part)) return fail(part.pod, list.error());
  if (list) part.list = *list;
  if (part.list == nullptr) seats_.push_back(std::move(seat));
  return {};
}

std::optional<Result<void>> ListGathering::look() {
  std::erase_if(seats_, [this](const auto& seat) {
    GatheredList& part = lists_[seat->index()];
    return is_out(part.pod->pod) || take_last_known(part);
  });
  return progress();
}

Result<void> ListGathering::give_up() {
  const upstream::LocalPod* pod = lists_[seats_.front()->index()].pod;
  return fail(pod, {ErrorCode::kUpstreamTimeout, "no list of kernels in time", 0});
}

std::optional<Result<void>> ListGathering::progress() {
  if (!seats_.empty()) return std::nullopt;
  std::erase_if(lists_, [](const GatheredList& part) { return part.list == nullptr; });  // gone
  if (lists_.empty()) return fail(nullptr, {ErrorCode::kListIncomplete, "no gateway serves", 0});
  if (endpoint_.endpoint->replication && !std::exchange(rehoming_, true)) {
    const Result<void> asked = rehome();
    if (!asked) return asked;
    if (!seats_.empty()) return std::nullopt;
  }
  for (routing::PodFacts* gone : rehomed_) gone->known().set_rehomed(loop_.now_us());
  return Result<void>();
}

// The kernels of gone pods are loaded where they belong now. Where another worker has seen to that,
// the lists from before do not have them.
Result<void> ListGathering::rehome() {
  std::map<ptrdiff_t, std::vector<std::string>> wanted;  // by index of lists_
  uint64_t whole_from_us = 0;
  for (const auto& gone : endpoint_.pods) {
    if (!gone->pod.facts->gone() || gone->pod.twin) continue;
    if (const uint64_t rehomed_us = gone->pod.facts->known().get().rehomed_us; rehomed_us != 0) {
      whole_from_us = std::max(whole_from_us, rehomed_us);
      continue;
    }
    rehomed_.push_back(gone->pod.facts.get());
    for (std::string& id : gone->lists.known_ids()) {
      const std::optional<uint32_t> tag = tag_of(id);
      if (tag != gone->pod.tag) continue;
      const routing::Placement placement = place(id, tag);
      const auto part = std::find_if(lists_.begin(), lists_.end(), [&](const GatheredList& one) {
        return placement.is_at(one.index) && one.list->kernels.find(id) == nullptr;
      });
      if (part != lists_.end()) wanted[part - lists_.begin()].push_back(std::move(id));
    }
  }
  for (size_t i = 0; i < lists_.size(); ++i) {
    if (lists_[i].list->asked_us < whole_from_us) wanted.try_emplace(static_cast<ptrdiff_t>(i));
  }
  for (auto& [at, ids] : wanted) {
    const auto index = static_cast<size_t>(at);
    GatheredList& part = lists_[index];
    if (!ids.empty()) {
      log::info("kernels", "loading kernels of pods that are gone endpoint={} pod={} kernels={}",
                endpoint_.endpoint->id, part.pod->pod.name, ids.size());
    }
    part.pod->lists.adopt(std::move(ids));
    part.list = nullptr;
    part.deleted.clear();
    part.only_fresh = true;
    const Result<void> asked = ask(index);
    if (!asked) return asked;
  }
  return {};
}

Result<void> ListGathering::fail(const upstream::LocalPod* pod, const Error& error) {
  culprit_ = pod;
  seats_.clear();
  return told(error);
}

bool ListGathering::take_last_known(GatheredList& part) {
  if (part.only_fresh) return false;
  upstream::PodListRef list = part.pod->lists.last_known();
  if (list == nullptr) return false;
  const auto changes = endpoint_.endpoint->kernel_changes->since(list->asked_us);
  if (!changes) return false;
  std::vector<std::string> made;
  std::vector<std::string> deleted;
  for (const routing::KernelChanges::Change& change : *changes) {
    if (change.made) {
      made.push_back(change.id);
    } else {
      std::erase(made, change.id);
      deleted.push_back(change.id);
    }
  }
  const bool has_gap = std::any_of(made.begin(), made.end(), [&](const std::string& id) {
    return list->kernels.find(id) == nullptr && place(id, tag_of(id)).is_at(part.index);
  });
  if (has_gap) return false;
  part.list = std::move(list);
  part.deleted = std::move(deleted);
  stale_ = true;
  return true;
}

// Of the pod that it names, if it was minted here.
std::optional<uint32_t> ListGathering::tag_of(std::string_view id) const {
  const auto parsed = kernel::parse_kernel_id(id);
  if (!parsed || !keys_->is_minted(endpoint_.endpoint->id, *parsed)) return std::nullopt;
  return parsed->pod_tag;
}

// By the same rule as requests for it.
routing::Placement ListGathering::place(std::string_view id, std::optional<uint32_t> tag) const {
  const std::span<routing::PodView> pods = endpoint_.view_pods();
  const routing::Placement placement = endpoint_.place_by(id, tag, pods);
  if (placement.step != routing::Placement::Step::kAskLists) return placement;
  for (const GatheredList& part : lists_) {
    const bool has = part.list != nullptr && part.list->kernels.find(id) != nullptr;
    pods[part.index].listed = has ? routing::Listed::kHas : routing::Listed::kHasNot;
  }
  return endpoint_.place_by(id, tag, pods);
}

kernel::Claim ListGathering::claim(size_t list, const kernel::ListedKernel& kernel) const {
  using kernel::Claim;
  const GatheredList& part = lists_[list];
  const std::vector<std::string>& deleted = part.deleted;
  if (std::find(deleted.begin(), deleted.end(), kernel.id) != deleted.end()) return Claim::kNone;
  if (endpoint_.pods.size() == 1) return Claim::kMaybe;
  const std::optional<uint32_t> tag = tag_of(kernel.id);
  if (!tag) return Claim::kMaybe;
  return place(kernel.id, tag).is_at(part.index) ? Claim::kHeld : Claim::kNone;
}

void ListGathering::on_answer(size_t index, const Result<upstream::PodListRef>& list) {
  GatheredList& part = lists_[index];
  std::optional<Result<void>> whole;
  if (!list && !take_last_known(part)) {
    whole = fail(part.pod, list.error());
  } else {
    if (list) part.list = *list;
    std::erase_if(seats_, [index](const auto& seat) { return seat->index() == index; });
    whole = progress();
  }
  if (whole) owner_.on_lists_gathered(*whole);
}

}  // namespace kg::exchange
