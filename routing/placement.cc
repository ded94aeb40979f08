#include "routing/placement.h"

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"

namespace kg::routing {
namespace {

using Step = Placement::Step;

// Rendezvous hashing: every replica of the proxy finds the same order with nothing to share, and a
// pod that leaves moves only its own kernels.
uint64_t weight_of(std::string_view id, std::string_view pod) noexcept {
  const crypto::Sha256 hash = crypto::sha256(id, pod);
  uint64_t out = 0;
  for (size_t i = 0; i < sizeof out; ++i) out = out << 8 | hash[i];
  return out;
}

template <typename Fits>
std::optional<uint32_t> heaviest(std::string_view id, std::span<const PodView> pods, Fits fits) {
  std::optional<uint32_t> best;
  uint64_t best_weight = 0;
  for (uint32_t i = 0; i < pods.size(); ++i) {
    if (!fits(pods[i])) continue;
    const uint64_t weight = weight_of(id, pods[i].name);
    if (best && weight <= best_weight) continue;
    best = i;
    best_weight = weight;
  }
  return best;
}

bool is_confirmed(const PlacementQuery& query, uint32_t pod, const PodView& view) noexcept {
  return query.known && query.known->pod == pod && query.known->restarts == view.restarts;
}

Placement at_holder(const PlacementQuery& query, uint32_t pod, std::span<const PodView> pods) {
  const bool revive = query.replication && !is_confirmed(query, pod, pods[pod]);
  return {revive ? Step::kRevive : Step::kGo, pod};
}

// No pod is known to hold it: their own lists tell.
Placement by_lists(const PlacementQuery& query, std::span<const PodView> pods, bool of_gone_pod) {
  bool waiting = false;
  bool failed = false;
  bool has = false;
  for (const PodView& pod : pods) {
    if (pod.gone) continue;
    waiting = waiting || pod.listed == Listed::kNotAsked;
    failed = failed || pod.listed == Listed::kFailed;
    has = has || pod.listed == Listed::kHas;
  }
  // Of copies that were left on several replicas every proxy must choose the same.
  if (waiting && (of_gone_pod || !has)) return {Step::kAskLists, 0};
  if (has) {
    const auto holder = heaviest(
        query.id, pods, [](const PodView& pod) { return !pod.gone && pod.listed == Listed::kHas; });
    return {Step::kGo, *holder};
  }
  if (failed) return {Step::kUnsure, 0, "a gateway that may have it does not list its kernels"};
  if (!of_gone_pod) return {Step::kNowhere, 0, "no gateway lists it"};
  if (!query.replication) return {Step::kNowhere, 0, "its gateway is gone", true};
  const auto next =
      heaviest(query.id, pods, [](const PodView& pod) { return pod.ready && !pod.gone; });
  if (!next) return {Step::kUnsure, 0, "its gateway is gone and no other takes kernels"};
  return {Step::kRevive, *next};
}

}  // namespace

std::optional<uint32_t> pod_with_tag(uint32_t tag, std::span<const PodView> pods) noexcept {
  for (uint32_t i = 0; i < pods.size(); ++i) {
    if (pods[i].tag == tag) return i;
  }
  return std::nullopt;
}

Placement place(const PlacementQuery& query, std::span<const PodView> pods) {
  KG_ASSERT(!pods.empty());
  // Nothing to guess, and its own answer says more than a 404 of ours, also after it was given up.
  if (pods.size() == 1) return at_holder(query, 0, pods);
  const auto tagged = query.tag ? pod_with_tag(*query.tag, pods) : std::nullopt;
  if (tagged && !pods[*tagged].gone) return at_holder(query, *tagged, pods);
  bool any = false;
  for (const PodView& pod : pods) any = any || !pod.gone;
  if (!any) return {Step::kUnsure, 0, "no gateway of the endpoint answers"};  // it may be us
  const bool known = query.known && query.known->pod < pods.size();
  if (known && !pods[query.known->pod].gone) {
    // A re-homed kernel whose second pod restarted is re-homed anew: others do not know the second.
    const bool confirmed = is_confirmed(query, query.known->pod, pods[query.known->pod]);
    if (confirmed || !query.tag) return at_holder(query, query.known->pod, pods);
  }
  return by_lists(query, pods, query.tag.has_value() || known);
}

}  // namespace kg::routing
