#include "routing/feed/facts.h"

#include "routing/feed/limits.h"

namespace kg::feed {

bool SeenFacts::first_time(const std::string& id) {
  if (!ids_.insert(id).second) return false;
  order_.push_back(id);
  if (order_.size() > kFactsRemembered) {
    ids_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

}  // namespace kg::feed
