#include "proxy/exchange/held_messages.h"

#include <algorithm>

#include "proxy/base/limits.h"
#include "proxy/websocket/frame_scanner.h"

namespace kg::exchange {

void HeldMessages::given(std::string_view bytes, uint64_t open, size_t unsent) {
  if (unsent == 0) all_taken();
  since_ += bytes.size();
  // The usual case: nothing to copy.
  if (unsent == 0 && open == 0 && bytes_.empty()) {
    runs_ = false;
    return;
  }
  append(bytes, open);
  given_ = bytes_.size();
  if (given_ <= limits::kResendBytesMax) return;
  bytes_.clear();
  given_ = 0;
  runs_held_ = false;
}

void HeldMessages::all_taken() noexcept {
  if (waiting() > 0) return;
  since_ = 0;
  since_whole_ = !runs_;
  drop(runs_ && runs_held_ ? runs_at_ : bytes_.size());
  given_ = bytes_.size();
}

// Takes up what continues bytes_, or begins a message.
void HeldMessages::append(std::string_view bytes, uint64_t open) {
  const bool ran = runs_;
  const size_t whole = bytes.size() - std::min<uint64_t>(open, bytes.size());
  runs_ = open > 0;
  if (bytes_.empty() && ran) {
    bytes.remove_prefix(whole > 0 ? whole : bytes.size());  // the rest of one that is not held
    runs_held_ = runs_ && whole > 0;
    runs_at_ = 0;
  } else if (!ran || whole > 0) {
    runs_held_ = runs_;
    runs_at_ = bytes_.size() + whole;
  }
  bytes_.append(bytes);
}

bool HeldMessages::lost(std::optional<std::string_view> untaken) {
  if (!untaken) return false;
  // What is ours of the connection's last bytes: a ping may stand before them.
  const std::string_view ours =
      untaken->substr(untaken->size() - std::min(untaken->size(), since_));
  if (ours.size() <= given_) {
    drop(whole_within(given_ - ours.size()));
  } else if (ours.size() == since_ && since_whole_) {
    // Nothing was taken since all was: a burst that was not copied, or not all of it.
    runs_at_ += ours.size() - given_;
    bytes_.clear();
    bytes_.append(ours);
  } else {
    return false;
  }
  if (runs_ && !runs_held_) return false;
  given_ = since_ = 0;
  since_whole_ = true;
  return true;
}

void HeldMessages::wait(std::string_view bytes, uint64_t open) { append(bytes, open); }

std::string_view HeldMessages::next(size_t most) noexcept {
  const std::string_view out = bytes_.view().substr(given_, most);
  given_ += out.size();
  since_ += out.size();
  return out;
}

void HeldMessages::drop(size_t bytes) noexcept {
  bytes_.consume(bytes);
  given_ -= std::min(given_, bytes);
  runs_at_ -= std::min(runs_at_, bytes);
}

// How many of the first `bytes` are whole messages.
size_t HeldMessages::whole_within(size_t bytes) const noexcept {
  websocket::FrameScanner frames;
  frames.scan(bytes_.view().substr(0, bytes));
  return bytes - static_cast<size_t>(frames.open_bytes());
}

}  // namespace kg::exchange
