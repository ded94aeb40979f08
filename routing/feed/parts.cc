#include "routing/feed/parts.h"

#include "proxy/base/assert.h"
#include "routing/feed/limits.h"

namespace kg::feed {

std::shared_ptr<const std::string> Parts::part(size_t number) {
  KG_ASSERT(!retired_ && number < starts_.size());
  for (const auto& [made, bytes] : made_) {
    if (made == number) return bytes;
  }
  size_t next = starts_[number];
  auto bytes = std::make_shared<const std::string>(encode_part(content_, number, next));
  if (number + 1 == starts_.size() && !last_known_) {
    last_known_ = next == content_.changes.size();
    if (!last_known_) starts_.push_back(next);
  }
  made_.emplace_back(number, bytes);
  if (made_.size() > kPartsInFlight) made_.pop_front();
  return bytes;
}

void Parts::retire() noexcept {
  retired_ = true;
  content_.changes = {};
  made_.clear();
}

}  // namespace kg::feed
