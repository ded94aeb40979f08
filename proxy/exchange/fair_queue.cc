#include "proxy/exchange/fair_queue.h"

#include <algorithm>

#include "proxy/base/assert.h"

namespace kg::exchange {

void FairQueue::push(uint64_t principal, uint64_t item) {
  auto [known, is_new] = principals_.try_emplace(principal);
  if (is_new) known->second = lines_.insert(lines_.end(), {principal, {}});
  const bool added = items_.emplace(item, known->second).second;
  KG_ASSERT(added);
  known->second->items.push_back(item);
}

std::optional<uint64_t> FairQueue::pop() {
  if (lines_.empty()) return std::nullopt;
  const auto line = lines_.begin();
  const uint64_t item = line->items.front();
  line->items.pop_front();
  items_.erase(item);
  if (line->items.empty()) {
    close(line);
  } else {
    lines_.splice(lines_.end(), lines_, line);
  }
  return item;
}

bool FairQueue::remove(uint64_t item) {
  const auto found = items_.find(item);
  if (found == items_.end()) return false;
  const auto line = found->second;
  items_.erase(found);
  line->items.erase(std::find(line->items.begin(), line->items.end(), item));
  if (line->items.empty()) close(line);
  return true;
}

void FairQueue::close(Lines::iterator line) {
  principals_.erase(line->principal);
  lines_.erase(line);
}

}  // namespace kg::exchange
