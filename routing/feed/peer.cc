#include "routing/feed/peer.h"

#include <algorithm>
#include <utility>

namespace kg::feed {

void Peer::on_sync(const Sync& sync, uint64_t now_us) {
  on_rest();
  follows_ = true;
  round_ = sync.round;
  cursor_ = acknowledged_ = sync.whole ? Version() : sync.held;
  refused_ = Version();
  whole_wanted_ = sync.whole || sync.held == Version();
  progress_us_ = now_us;
  if (whole_wanted_) return;
  const bool same = sync.digest == audience_->digest();
  if (sync.held == audience_->version()) {
    whole_wanted_ = !same;
    if (whole_wanted_) cursor_ = Version();
  } else if (same && sync.held < audience_->version()) {
    begin(audience_->nothing_new(sync.held));  // a new leader's first words cost next to nothing
  }
}

void Peer::on_rest() noexcept {
  follows_ = false;
  content_.reset();
  in_flight_.clear();
  bytes_in_flight_ = 0;
}

void Peer::begin(std::shared_ptr<Parts> content) noexcept {
  content_ = std::move(content);
  part_ = 0;
}

bool Peer::on_ack(const Ack& ack, uint64_t now_us) {
  if (ack.round != round_ || in_flight_.empty()) return true;
  const Sent sent = in_flight_.front();
  if (sent.to != ack.to || sent.part != ack.part) return true;
  in_flight_.pop_front();
  bytes_in_flight_ -= sent.bytes;
  progress_us_ = now_us;
  if (!sent.last) return true;
  acknowledged_ = sent.to;
  return ack.digest == sent.digest;
}

bool Peer::on_refuse(const Refuse& refuse) noexcept {
  if (refuse.round != round_ || !follows_) return false;
  const bool was_sent = std::ranges::any_of(
      in_flight_, [&](const Sent& sent) { return sent.last && sent.to == refuse.to; });
  if (!was_sent) return false;
  on_rest();
  follows_ = true;
  cursor_ = acknowledged_;
  refused_ = refuse.to;
  whole_wanted_ = acknowledged_ == Version();
  return true;
}

bool Peer::choose_content(bool idle_too) {
  if (cursor_ >= audience_->version() || refused_ == audience_->version()) return false;
  std::shared_ptr<Parts> content = whole_wanted_ ? nullptr : audience_->since(cursor_);
  if (content != nullptr && content->content().changes.empty() && !idle_too) return false;
  if (content == nullptr) {
    content = audience_->whole();
    ++snapshots_;
  }
  whole_wanted_ = false;
  begin(std::move(content));
  return true;
}

std::shared_ptr<const std::string> Peer::next(bool idle_too, uint64_t now_us) {
  if (!follows_) return nullptr;
  if (in_flight_.size() >= kPartsInFlight || bytes_in_flight_ >= kBytesInFlight) return nullptr;
  if (content_ != nullptr && content_->retired()) begin(audience_->whole());
  if (content_ == nullptr && !choose_content(idle_too)) return nullptr;
  auto bytes = content_->part(part_);
  const Content& content = content_->content();
  const bool last = content_->is_last(part_);
  if (in_flight_.empty()) progress_us_ = now_us;
  in_flight_.push_back({content.to, part_, bytes->size(), last, content.digest});
  bytes_in_flight_ += bytes->size();
  ++part_;
  if (last) {
    cursor_ = content.to;
    content_.reset();
  }
  return bytes;
}

bool Peer::stalled(uint64_t now_us) const noexcept {
  return !in_flight_.empty() && now_us > progress_us_ + uint64_t{kStallMs} * 1'000;
}

}  // namespace kg::feed
