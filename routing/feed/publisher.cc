#include "routing/feed/publisher.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/base/crypto.h"
#include "proxy/base/log.h"
#include "routing/feed/limits.h"
#include "routing/feed/wire.h"

namespace kg::feed {
namespace {

constexpr uint64_t kWarnEveryUs = 10'000'000;  // of strangers, who could fill the log

const Scope& everything() {
  static const Scope scope = Scope::all();
  return scope;
}

bool within(uint64_t low, uint64_t high, uint64_t ours) noexcept {
  return low <= ours && ours <= high;
}

}  // namespace

Publisher::Publisher(event::EventLoop& loop, PublisherHandler& handler, Options options)
    : loop_(loop),
      handler_(handler),
      options_(std::move(options)),
      door_(loop,
            [this](std::string_view key) {
              const bool known = options_.allowed.find(key) != nullptr;
              if (!known) ++counts_.denied;
              return known;
            }),
      history_(options_.schema),
      everything_(history_.audience(Scope::all())),
      timer_(loop, [this] { tick(); }) {}

Publisher::~Publisher() {
  if (socket_ == nullptr) return;
  socket_->close();
  loop_.defer_delete(std::move(socket_));
}

std::string Publisher::start() {
  if (!options_.keys && !options_.plaintext) return "there is no key, and plaintext is not chosen";
  if (options_.plaintext) options_.keys.reset();
  std::string problem = options_.keys ? door_.open(context_) : "";
  if (!problem.empty()) return problem;
  socket_ = Socket::make(context_, loop_, *this,
                         {Socket::Kind::kRouter, kRequestBytesMax, options_.keys, ""}, problem);
  if (socket_ == nullptr) return problem;
  for (const std::string& address : options_.addresses) {
    problem = socket_->bind(address);
    if (!problem.empty()) return problem;
    bound_.push_back(socket_->bound_address());
  }
  timer_.arm_ms(kHeartbeatMs);
  return "";
}

std::vector<std::string> Publisher::bound_addresses() const { return bound_; }

std::vector<Publisher::Proxy> Publisher::proxies() const {
  std::vector<Proxy> out;
  out.reserve(peers_.size());
  for (const auto& [id, peer] : peers_) {
    out.push_back({peer->name(), peer->key(), peer->acknowledged(), peer->follows(),
                   peer->bytes_in_flight()});
  }
  return out;
}

std::string Publisher::publish(Version version, std::vector<Change> changes) {
  return after_publishing(history_.publish(version, std::move(changes)));
}

std::string Publisher::publish_all(Version version,
                                   std::vector<std::shared_ptr<const Item>> items) {
  return after_publishing(history_.publish_all(version, std::move(items)));
}

std::string Publisher::after_publishing(std::string problem) {
  if (!problem.empty()) return problem;
  ++counts_.published;
  const Message alive = AliveController{history_.version()};
  for_each_peer([&](const std::string& id, Peer& peer) {
    return peer.follows() ? pump(id, peer, false) : send(id, alive);
  });
  history_.forget_deltas();
  return "";
}

const Scope* Publisher::scope_of(std::string_view user) const noexcept {
  return options_.keys ? options_.allowed.find(user) : &everything();
}

void Publisher::allow(AllowList allowed) {
  options_.allowed = std::move(allowed);
  gates_.clear();
  for_each_peer([&](const std::string& id, Peer& peer) {
    const Scope* scope = scope_of(peer.key());
    if (scope != nullptr && *scope == peer.scope()) return true;
    if (scope != nullptr) send(id, Again{});  // it comes back with the new one
    return false;
  });
}

void Publisher::on_message(std::span<const std::string_view> frames, std::string_view user) {
  if (frames.size() != 2 || !is_address(frames[0])) {
    ++counts_.unreadable;
    return;
  }
  const std::string id(frames[0]);
  const Scope* scope = scope_of(user);
  if (scope == nullptr) {
    ++counts_.denied;  // allowed when it connected, and no longer
    return;
  }
  const char* problem = "";
  std::optional<Message> message = parse(frames[1], problem);
  if (!message) {
    ++counts_.unreadable;
    return;
  }
  if (const Hello* hello = std::get_if<Hello>(&*message)) {
    return on_hello(id, user, *scope, *hello);
  }
  const auto at = peers_.find(id);
  if (at == peers_.end() || at->second->key() != user) {
    send(id, Again{});
    return;
  }
  on_peer(id, *at->second, *message);
}

// Whoever holds a narrow key takes no place of the fleet's own proxies.
bool Publisher::has_place(std::string_view key, const Scope& scope) const {
  if (peers_.size() >= kPeersMax) return false;
  if (scope.is_all()) return true;
  size_t narrow = 0;
  size_t of_key = 0;
  for (const auto& [id, peer] : peers_) {
    if (peer->scope().is_all()) continue;
    ++narrow;
    if (peer->key() == key) ++of_key;
  }
  return narrow < kNarrowPeersMax && of_key < options_.narrow_peers_of_key;
}

Publisher::KeyGates* Publisher::gates_of(std::string_view key, const Scope& scope) {
  if (scope.is_all()) return nullptr;
  const auto known = gates_.find(key);
  return known != gates_.end() ? &known->second : &gates_[std::string(key)];
}

void Publisher::on_hello(const std::string& id, std::string_view user, const Scope& scope,
                         const Hello& hello) {
  KeyGates* gates = gates_of(user, scope);
  if (gates != nullptr && !gates->asks.pass(loop_.now_us())) {
    ++counts_.denied;  // it says it again
    return;
  }
  if (!within(hello.protocol_low, hello.protocol_high, kProtocol)) {
    return deny(id, "this controller speaks feed protocol " + std::to_string(kProtocol));
  }
  if (!within(hello.schema_low, hello.schema_high, history_.schema())) {
    return deny(id, "this controller writes schema " + std::to_string(history_.schema()));
  }
  const auto known = peers_.find(id);
  if (known == peers_.end() && !has_place(user, scope)) {
    return deny(id, "this controller feeds as many proxies already as it may, of this key or all");
  }
  auto peer = std::make_unique<Peer>(std::string(user), hello.name, history_.audience(scope));
  peer->heard_us = loop_.now_us();
  if (known != peers_.end()) peer->take_rates(*known->second);
  peers_.insert_or_assign(id, std::move(peer));
  send(id, Welcome{kProtocol, history_.schema(), history_.version(), scope.text()});
}

void Publisher::deny(const std::string& id, std::string reason) {
  ++counts_.denied;
  if (loop_.now_us() >= warn_again_us_) {
    warn_again_us_ = loop_.now_us() + kWarnEveryUs;
    log::warn("feed", "a proxy is turned away: {}", reason);
  }
  send(id, Deny{std::move(reason)});
}

void Publisher::on_peer(const std::string& id, Peer& peer, Message& message) {
  const uint64_t now_us = loop_.now_us();
  peer.heard_us = now_us;
  bool stays = true;
  if (const Sync* sync = std::get_if<Sync>(&message)) {
    KeyGates* gates = gates_of(peer.key(), peer.scope());
    const bool may = peer.syncs.pass(now_us) && (gates == nullptr || gates->asks.pass(now_us));
    if (!may) return;  // it asks again
    if (sync->round > 1) ++counts_.resyncs;
    peer.on_sync(*sync, now_us);
    stays = send(id, Begin{sync->round}) && pump(id, peer, true);
  } else if (const Ack* ack = std::get_if<Ack>(&message)) {
    if (!peer.on_ack(*ack, now_us)) {
      ++counts_.diverged;
      send(id, Again{});
      stays = false;
    } else {
      stays = pump(id, peer, false);
    }
  } else if (const Refuse* refuse = std::get_if<Refuse>(&message)) {
    if (!peer.on_refuse(*refuse)) return;
    ++counts_.refusals;
    handler_.on_refused(peer.name(), refuse->to, printable(refuse->reason));
    stays = pump(id, peer, false);
  } else if (std::holds_alternative<Rest>(message)) {
    peer.on_rest();
  } else if (const AliveProxy* alive = std::get_if<AliveProxy>(&message)) {
    peer.facts_seen = std::min(alive->facts_seen, peer.facts_sent);
  } else if (const Fact* fact = std::get_if<Fact>(&message)) {
    on_fact(id, peer, *fact);
  } else {
    ++counts_.unreadable;
  }
  if (!stays) drop(id);
}

void Publisher::on_fact(const std::string& id, Peer& peer, const Fact& fact) {
  const uint64_t now_us = loop_.now_us();
  KeyGates* gates = gates_of(peer.key(), peer.scope());
  const bool may = peer.scope().speaks_for(fact.scope_namespace, fact.endpoint);
  if (!may || !peer.facts.pass(now_us) || (gates != nullptr && !gates->facts.pass(now_us))) {
    ++counts_.facts_dropped;
    return;
  }
  if (!seen_.first_time(fact)) return;
  ++counts_.facts_heard;
  relay(fact, id);
  handler_.on_fact(fact);
}

void Publisher::publish_fact(Fact fact) {
  fact.id.resize(kFactIdBytes);
  crypto::random_bytes(fact.id.data(), fact.id.size());
  seen_.first_time(fact);
  relay(fact, "");
}

void Publisher::relay(const Fact& fact, const std::string& but) {
  const std::string bytes = encode(fact);
  for_each_peer([&](const std::string& id, Peer& peer) {
    if (id == but || !peer.scope().sees(fact.scope_namespace, fact.endpoint)) return true;
    if (peer.facts_sent - peer.facts_seen >= kFactsUnseenMax) {
      ++counts_.facts_dropped;
      return true;
    }
    ++peer.facts_sent;
    ++counts_.facts_sent;
    return send(id, bytes);
  });
}

bool Publisher::send(const std::string& id, const Message& message) {
  return send(id, encode(message));
}

bool Publisher::send(const std::string& id, std::string_view bytes) {
  const std::array<std::string_view, 2> frames{id, bytes};
  return socket_->send(frames) == Sent::kYes;
}

bool Publisher::pump(const std::string& id, Peer& peer, bool idle_too) {
  const uint64_t snapshots = peer.snapshots();
  bool stays = true;
  while (stays) {
    const auto bytes = peer.next(idle_too, loop_.now_us());
    if (bytes == nullptr) break;
    ++counts_.messages_sent;
    counts_.bytes_sent += bytes->size();
    stays = send(id, *bytes);
  }
  counts_.snapshots += peer.snapshots() - snapshots;
  return stays;
}

void Publisher::drop(const std::string& id) {
  const auto at = peers_.find(id);
  if (at == peers_.end()) return;
  lingering_.insert(at->second->audience());
  peers_.erase(at);
  ++counts_.dropped;
}

void Publisher::for_each_peer(const std::function<bool(const std::string&, Peer&)>& visit) {
  for (auto at = peers_.begin(); at != peers_.end();) {
    if (visit(at->first, *at->second)) {
      ++at;
    } else {
      ++counts_.dropped;
      at = peers_.erase(at);
    }
  }
}

void Publisher::tick() {
  timer_.arm_ms(kHeartbeatMs);
  const uint64_t now_us = loop_.now_us();
  const Message alive = AliveController{history_.version()};
  for_each_peer([&](const std::string& id, Peer& peer) {
    if (now_us > peer.heard_us + uint64_t{kSilentMs} * 1'000 || peer.stalled(now_us)) return false;
    return pump(id, peer, true) && send(id, alive);
  });
  lingering_.clear();
  history_.forget_deltas();
}

}  // namespace kg::feed
