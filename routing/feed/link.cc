#include "routing/feed/link.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/base/log.h"
#include "routing/feed/limits.h"
#include "routing/feed/wire.h"

namespace kg::feed {

Link::Link(Context& context, event::EventLoop& loop, LinkOwner& owner, const Options& options,
           std::string address)
    : context_(context),
      loop_(loop),
      owner_(owner),
      options_(options),
      address_(std::move(address)),
      timer_(loop, [this] { tick(); }) {
  restart();
}

void Link::close() noexcept {
  timer_.disarm();
  connected_ = welcomed_ = begun_ = false;
  offered_ = Version();
  if (socket_ == nullptr) return;
  socket_->close();
  loop_.defer_delete(std::move(socket_));
}

void Link::restart() {
  close();
  timer_.arm_ms(kHeartbeatMs);
  heard_us_ = loop_.now_us();
  Socket::Options options{Socket::Kind::kDealer, kMessageBytesMax, options_.keys, ""};
  if (options_.keys) {
    options.server_key = options_.controller_keys[tries_++ % options_.controller_keys.size()];
  }
  std::string problem;
  socket_ = Socket::make(context_, loop_, *this, options, problem);
  if (socket_ != nullptr) problem = socket_->connect(address_);
  // No descriptor left, perhaps: tried again when the silence has lasted.
  if (!problem.empty()) log::warn("feed", "{} controller={}", problem, address_);
}

void Link::tick() {
  timer_.arm_ms(kHeartbeatMs);
  const uint64_t oldest_us = asked_us_ != 0 ? std::min(asked_us_, heard_us_) : heard_us_;
  if (loop_.now_us() > oldest_us + uint64_t{kSilentMs} * 1'000) {
    lose_welcome();
    restart();
    return;
  }
  if (!connected_) return;
  if (!welcomed_) return greet();
  say(AliveProxy{owner_.held(), facts_seen_});
}

void Link::on_connection(bool stands) {
  connected_ = stands;
  lose_welcome();
  if (!stands) return;
  ++connections_;
  greet();
}

void Link::lose_welcome() {
  begun_ = false;
  asked_us_ = 0;
  offered_ = Version();
  if (std::exchange(welcomed_, false)) owner_.on_offer(*this);
}

void Link::greet() {
  say(Hello{kProtocol, kProtocol, options_.schema_low, options_.schema_high, options_.name});
}

void Link::say(const Message& message) {
  if (socket_ == nullptr) return;
  const std::string bytes = encode(message);
  const std::array<std::string_view, 1> frames{bytes};
  socket_->send(frames);  // lost with the connection only, and then all begins anew
}

bool Link::send_fact(std::string_view bytes) {
  const std::array<std::string_view, 1> frames{bytes};
  return welcomed_ && socket_ != nullptr && socket_->send(frames) == Sent::kYes;
}

void Link::follow(const Digest& digest, bool whole) {
  begun_ = false;
  asked_us_ = loop_.now_us();
  say(Sync{++round_, owner_.held(), digest, whole});
}

void Link::pause() noexcept {
  begun_ = false;
  asked_us_ = 0;
}

void Link::rest() {
  pause();
  if (welcomed_) say(Rest{});
}

void Link::acknowledge(Version to, uint64_t part, const std::optional<Digest>& digest) {
  say(Ack{round_, to, part, digest});
}

void Link::refuse(Version to, std::string reason) {
  if (reason.size() > kReasonBytesMax) reason.resize(kReasonBytesMax);
  say(Refuse{round_, to, std::move(reason)});
}

void Link::on_message(std::span<const std::string_view> frames, std::string_view) {
  heard_us_ = loop_.now_us();
  const char* problem = "form";
  std::optional<Message> message;
  if (frames.size() == 1) message = parse(frames.front(), problem);
  if (!message) return owner_.on_unreadable(*this, problem);
  take(*std::move(message), frames.front().size());
}

void Link::take(Message message, size_t bytes) {
  if (Update* update = std::get_if<Update>(&message)) {
    if (begun_) owner_.on_update(*this, std::move(*update), bytes);
  } else if (const Begin* begin = std::get_if<Begin>(&message)) {
    begun_ = welcomed_ && begin->round == round_;
    if (begun_) asked_us_ = 0;
  } else if (const Welcome* welcome = std::get_if<Welcome>(&message)) {
    lose_welcome();  // it may be the answer to a second Hello: whom it knew before is forgotten
    std::string problem;
    auto scope = Scope::parse(welcome->scope, problem);
    if (!scope) return owner_.on_unreadable(*this, "scope");
    scope_ = *std::move(scope);
    welcomed_ = true;
    facts_seen_ = 0;
    round_ = 0;
    offer(welcome->version);
  } else if (const AliveController* alive = std::get_if<AliveController>(&message)) {
    if (welcomed_) offer(alive->version);
  } else if (Fact* fact = std::get_if<Fact>(&message)) {
    // Told before the next heartbeat, so that many may come in a second.
    if (++facts_seen_ % kFactsSeenStep == 0) say(AliveProxy{owner_.held(), facts_seen_});
    owner_.on_fact(std::move(*fact));
  } else if (const Deny* deny = std::get_if<Deny>(&message)) {
    owner_.on_denied(*this, deny->reason);
  } else if (std::holds_alternative<Again>(message)) {
    lose_welcome();
    greet();
  } else {
    owner_.on_unreadable(*this, "type");
  }
}

void Link::offer(Version version) {
  offered_ = version;
  owner_.on_offer(*this);
}

}  // namespace kg::feed
