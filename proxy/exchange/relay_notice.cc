// What a Relay says itself to the client, and hears of the gateway's messages for that. Nothing of
// it runs unless there is something to say.
#include <utility>

#include "proxy/base/limits.h"
#include "proxy/exchange/relay.h"

namespace kg::exchange {

Relay::Attention& Relay::attention() {
  if (attention_ == nullptr) attention_ = std::make_unique<Attention>();
  return *attention_;
}

void Relay::listen() {
  Attention& attention = this->attention();
  attention.listens = true;
  attention.skips = !upstream_.frames.between_messages();
  attention.heard.clear();
}

void Relay::stop_listening() {
  if (attention_ == nullptr) return;
  attention_->listens = false;
  if (attention_->notice.empty()) attention_.reset();
}

void Relay::say(std::string frame) {
  Attention& attention = this->attention();
  if (!attention.notice.empty()) metrics_.notices_unsaid.add();
  attention.listens = false;
  attention.notice = std::move(frame);
  say_notice();
}

// `frames` of the gateway, at most one of them whole, have gone on.
void Relay::attend(std::string_view frames) {
  Attention& now = *attention_;
  if (now.listens && !now.skips) {
    now.heard.append(frames);
    now.skips = now.heard.size() > limits::kHeardBytesMax;
  }
  if (!upstream_.frames.between_messages()) return;
  if (now.listens) {
    const std::string heard = std::exchange(now.heard, {});
    const bool whole = !std::exchange(now.skips, false);
    if (whole && !heard.empty()) owner_.relay_heard(heard);
  }
  say_notice();
}

void Relay::say_notice() {
  if (attention_ == nullptr || attention_->notice.empty()) return;
  const bool too_late = ended_ || client_.deaf || upstream_.ended || upstream_.frames.closed() ||
                        upstream_.frames.lost();
  if (!too_late && !upstream_.frames.between_messages()) return;
  (too_late ? metrics_.notices_unsaid : metrics_.notices_said).add();
  if (!too_late) client_.stream.write(attention_->notice);
  attention_.reset();
}

}  // namespace kg::exchange
