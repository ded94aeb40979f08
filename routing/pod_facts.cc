#include "routing/pod_facts.h"

namespace kg::routing {

PodFactsRef PodBook::facts_of(const std::string& virtual_cluster, const std::string& endpoint,
                              const std::string& pod, const std::string& address) {
  if (facts_.size() >= sweep_at_) {
    std::erase_if(facts_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = 2 * facts_.size() + 64;
  }
  // None of these holds a slash.
  std::weak_ptr<PodFacts>& known =
      facts_[virtual_cluster + '/' + endpoint + '/' + pod + '/' + address];
  PodFactsRef facts = known.lock();
  if (facts == nullptr) known = facts = std::make_shared<PodFacts>();
  return facts;
}

}  // namespace kg::routing
