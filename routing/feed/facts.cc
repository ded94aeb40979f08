#include "routing/feed/facts.h"

#include "proxy/base/crypto.h"
#include "routing/feed/limits.h"

namespace kg::feed {

bool SeenFacts::first_time(const Fact& fact) {
  const crypto::Sha256 hash = crypto::sha256(encode(fact));
  const std::string mark(hash.begin(), hash.end());
  if (!marks_.insert(mark).second) return false;
  order_.push_back(mark);
  if (order_.size() > kFactsRemembered) {
    marks_.erase(order_.front());
    order_.pop_front();
  }
  return true;
}

}  // namespace kg::feed
