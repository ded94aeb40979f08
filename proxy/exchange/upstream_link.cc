#include "proxy/exchange/upstream_link.h"

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"

namespace kg::exchange {

void UpstreamLink::pass(std::string_view bytes, uint64_t open) {
  if (stream_ == nullptr || held_.waiting() > 0) return held_.wait(bytes, open);
  if (keeps_) held_.given(bytes, open, stream_->unsent());
  stream_->write(bytes);
}

bool UpstreamLink::cut() {
  KG_ASSERT(keeps_ && stream_ != nullptr);
  const std::optional<std::string> untaken = stream_->take_back();
  stream_ = nullptr;
  return held_.lost(untaken);
}

void UpstreamLink::join(event::Stream& stream) {
  KG_ASSERT(stream_ == nullptr);
  stream_ = &stream;
  drained();
}

void UpstreamLink::drained() {
  while (held_.waiting() > 0 && stream_->unsent() <= limits::kPendingBytesHigh) {
    stream_->write(held_.next(limits::kPendingBytesHigh));
  }
  if (finishes_ && held_.waiting() == 0) stream_->finish();
  tidy();
}

void UpstreamLink::tidy() noexcept {
  if (stream_ != nullptr && stream_->unsent() == 0) held_.all_taken();
}

void UpstreamLink::write(std::string_view bytes) {
  if (stream_ == nullptr) return;
  if (held_.waiting() > 0) return held_.wait(bytes, 0);
  if (keeps_) tidy();  // these bytes are not the client's: they must stand behind all of those
  stream_->write(bytes);
}

size_t UpstreamLink::unsent() const noexcept {
  return held_.waiting() + (stream_ != nullptr ? stream_->unsent() : 0);
}

void UpstreamLink::pause(event::Pause reason) noexcept {
  if (stream_ != nullptr) stream_->pause(reason);
}

void UpstreamLink::resume(event::Pause reason) noexcept {
  if (stream_ != nullptr) stream_->resume(reason);
}

void UpstreamLink::finish() {
  finishes_ = true;
  if (stream_ != nullptr && held_.waiting() == 0) stream_->finish();
}

void UpstreamLink::close() noexcept {
  if (stream_ != nullptr) stream_->close();
}

uint64_t UpstreamLink::last_progress_us() const noexcept {
  return stream_ != nullptr ? stream_->last_progress_us() : 0;
}

event::Delivery UpstreamLink::delivery() const noexcept {
  return stream_ != nullptr ? stream_->delivery() : event::Delivery{};
}

}  // namespace kg::exchange
