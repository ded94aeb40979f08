#include "routing/feed/subscriber.h"

#include <algorithm>
#include <utility>

#include "proxy/base/crypto.h"
#include "proxy/base/log.h"
#include "routing/feed/disk_copy.h"
#include "routing/feed/limits.h"

namespace kg::feed {

Subscriber::Subscriber(event::EventLoop& loop, SubscriberHandler& handler, Options options)
    : loop_(loop),
      handler_(handler),
      options_(std::move(options)),
      resync_(loop, [this] { sync_again(); }),
      save_(loop,
            [this] {
              saved_us_ = loop_.now_us();
              copy_->save(state_.content());
            }),
      current_us_(loop.now_us()) {}

Subscriber::~Subscriber() {
  if (save_.is_set()) copy_->save(state_.content());
  resolver_.reset();
  while (!links_.empty()) remove(links_.begin());
}

std::string Subscriber::check_options() {
  if (options_.plaintext) options_.keys.reset();
  if (!options_.keys && !options_.plaintext) return "there is no key, and plaintext is not chosen";
  if (options_.keys && options_.controller_keys.empty()) return "there is no controller's key";
  for (const std::string& key : options_.controller_keys) {
    if (!is_key(key)) return "a controller's key is not 40 characters of z85";
  }
  if (!is_name(options_.name)) {
    return "the name is not 1 to " + std::to_string(kNameBytesMax) + " visible characters";
  }
  for (const std::string& text : options_.controllers) {
    auto controller = Controller::parse(text);
    if (!controller) return "\"" + text + "\" is not HOST:PORT";
    controllers_.push_back(*std::move(controller));
  }
  return controllers_.empty() ? "no controller is named" : "";
}

std::string Subscriber::start() {
  std::string problem = check_options();
  if (!problem.empty()) return problem;
  link_options_ = {options_.name, options_.schema_low, options_.schema_high, options_.keys,
                   options_.controller_keys};
  load();
  resolver_ = std::make_unique<Resolver>(loop_, controllers_, options_.look_up,
                                         [this](const Addresses& found) { adopt(found); });
  resolver_->start();
  return "";
}

void Subscriber::load() {
  if (options_.copy_file.empty()) return;
  if (!options_.keys) {
    log::warn("feed", "no copy of the feed is kept on disk: in plaintext there is no key for it");
    return;
  }
  const Secret& secret = options_.keys->secret_key;
  copy_ = std::make_unique<CopyWriter>(options_.copy_file, secret);
  std::string problem;
  const Copy copy = load_copy(options_.copy_file, secret, options_.schema_low, options_.schema_high,
                              state_, problem);
  if (copy == Copy::kLoaded) {
    const std::string refused = ask_owner();
    from_copy_ = refused.empty();
    if (from_copy_) {
      state_.accept();
    } else {
      state_.discard();
      problem = options_.copy_file + " is not used: " + refused;
    }
  }
  if (!problem.empty()) log::error("feed", "{}", problem);
  if (from_copy_) {
    log::info("feed", "the last good state is loaded from {} version={}.{} items={}",
              options_.copy_file, state_.version().term, state_.version().sequence, state_.items());
  }
}

std::string Subscriber::ask_owner() {
  const Update& update = state_.staged();
  return handler_.on_update(update.to, update.upserts, update.deletes, !update.from);
}

void Subscriber::adopt(const Addresses& addresses) {
  for (auto at = links_.begin(); addresses.complete && !addresses.list.empty();) {
    if (at == links_.end()) break;
    const auto next = std::next(at);
    const bool stays =
        std::find(addresses.list.begin(), addresses.list.end(), at->first) != addresses.list.end();
    if (!stays) remove(at);
    at = next;
  }
  LinkOwner& owner = *this;
  for (const std::string& address : addresses.list) {
    if (links_.size() >= kControllersMax || links_.contains(address)) continue;
    links_.emplace(address, std::make_unique<Link>(context_, loop_, owner, link_options_, address));
  }
  choose();
}

void Subscriber::remove(std::map<std::string, std::unique_ptr<Link>>::iterator at) {
  if (followed_ == at->second.get()) {
    followed_ = nullptr;
    state_.discard();
  }
  gone_connections_ += at->second->connections();
  at->second->close();
  loop_.defer_delete(std::move(at->second));
  links_.erase(at);
}

void Subscriber::on_offer(Link& link) {
  if (&link == followed_ && !link.welcomed()) {
    followed_ = nullptr;
    state_.discard();
  }
  choose();
  if (&link == followed_ && link.offered() == state_.version()) {
    current_us_ = loop_.now_us();
    from_copy_ = false;
  }
}

// The newest offer, and of equal ones that which is followed already.
void Subscriber::choose() {
  Link* best = followed_;
  for (const auto& [address, link] : links_) {
    if (!link->welcomed()) continue;
    if (link->offered() > (best != nullptr ? best->offered() : Version())) best = link.get();
  }
  if (best == nullptr || best == followed_) return;
  if (best->offered() < state_.version()) {
    if (std::exchange(behind_, best->offered()) != best->offered()) {
      ++counts_.behind;
      log::warn("feed",
                "the newest version of the controllers is older than what is held and is not taken "
                "version={}.{} offered={}.{}: if it was restored from a backup, reset the feed",
                state_.version().term, state_.version().sequence, behind_.term, behind_.sequence);
    }
    return;
  }
  if (followed_ != nullptr) followed_->rest();
  followed_ = best;
  resync_.clear();
  resync_ms_ = 0;
  sync_again();
}

void Subscriber::sync_again() {
  if (followed_ == nullptr) return;
  state_.discard();
  followed_->follow(state_.digest(), whole_wanted_);
}

void Subscriber::resync(Link& link, bool whole) {
  ++counts_.resyncs;
  state_.discard();
  link.pause();
  whole_wanted_ = whole_wanted_ || whole;
  resync_ms_ = std::clamp(2 * resync_ms_, kResyncMs, kResyncMsMax);
  resync_.set_ms(resync_ms_);
}

void Subscriber::on_unreadable(Link& link, const char* problem) {
  ++counts_.unreadable;
  log::debug("feed", "a message cannot be used: {} controller={}", problem, link.address());
  if (&link == followed_) resync(link, false);
}

void Subscriber::on_denied(Link& link, std::string_view reason) {
  if (counts_.denied++ % 60 == 0) {  // it is asked again every second
    log::error("feed", "a controller denies its feed: {} controller={}", printable(reason),
               link.address());
  }
}

void Subscriber::on_update(Link& link, Update update, size_t bytes) {
  if (&link != followed_) return;
  counts_.bytes += bytes;
  if (update.schema < options_.schema_low || update.schema > options_.schema_high) {
    ++counts_.schema;
    return resync(link, false);
  }
  const Version to = update.to;
  const uint64_t part = update.part;
  switch (state_.stage(std::move(update))) {
    case Staged::kMore:
      return link.acknowledge(to, part, std::nullopt);
    case Staged::kReady:
      return offer_to_owner(link, part);
    case Staged::kOlder:
      ++counts_.older;
      return resync(link, false);
    case Staged::kGap:
      ++counts_.gaps;
      return resync(link, false);
    case Staged::kTooLarge:
      ++counts_.too_large;
      return resync(link, true);
    case Staged::kDiverged:
      ++counts_.diverged;
      return resync(link, true);
  }
}

void Subscriber::offer_to_owner(Link& link, uint64_t part) {
  const Version to = state_.staged().to;
  const bool whole = !state_.staged().from;
  std::string reason = ask_owner();
  if (!reason.empty()) {
    ++counts_.refused;
    state_.discard();
    log::error("feed", "version {}.{} is refused: {}", to.term, to.sequence, reason);
    return link.refuse(to, std::move(reason));
  }
  state_.accept();
  ++counts_.updates;
  if (whole) ++counts_.snapshots;
  resync_ms_ = 0;
  whole_wanted_ = false;
  from_copy_ = false;
  if (to >= link.offered()) current_us_ = loop_.now_us();
  link.acknowledge(to, part, state_.digest());
  save_soon();
}

void Subscriber::save_soon() {
  if (copy_ == nullptr || save_.is_set()) return;
  const uint64_t since_ms = (loop_.now_us() - saved_us_) / 1'000;
  save_.set_ms(saved_us_ == 0 || since_ms >= kSaveMs ? 0 : kSaveMs - since_ms);
}

bool Subscriber::publish_fact(Fact fact) {
  fact.id.resize(kFactIdBytes);
  crypto::random_bytes(fact.id.data(), fact.id.size());
  seen_.first_time(fact);
  bool heard = false;
  if (fact.bytes.size() <= kFactBytesMax) {
    const std::string bytes = encode(fact);
    for (const auto& [address, link] : links_) heard = link->send_fact(bytes) || heard;
  }
  ++(heard ? counts_.facts_sent : counts_.facts_dropped);
  return heard;
}

void Subscriber::on_fact(Fact fact) {
  if (!seen_.first_time(fact)) return;
  ++counts_.facts_heard;
  handler_.on_fact(fact);
}

const Scope* Subscriber::scope() const noexcept {
  if (followed_ != nullptr && followed_->welcomed()) return &followed_->scope();
  for (const auto& [address, link] : links_) {
    if (link->welcomed()) return &link->scope();
  }
  return nullptr;
}

void Subscriber::reset() {
  if (save_.is_set()) {  // under its version, or a start without controllers could not use it
    save_.clear();
    copy_->save(state_.content());
  }
  log::warn("feed", "reset: whatever version comes next is taken version={}.{}",
            state_.version().term, state_.version().sequence);
  state_.forget_version();
  state_.discard();
  behind_ = Version();
  if (followed_ != nullptr) followed_->rest();
  followed_ = nullptr;
  choose();
}

SubscriberStatus Subscriber::status() const {
  SubscriberStatus status;
  status.version = state_.version();
  status.digest = state_.digest();
  status.from_copy = from_copy_;
  status.age_ms = (event::monotonic_us() - std::min(current_us_, event::monotonic_us())) / 1'000;
  status.items = state_.items();
  status.bytes = state_.bytes();
  status.controllers = links_.size();
  status.connections = gone_connections_;
  for (const auto& [address, link] : links_) {
    if (link->welcomed()) {
      ++status.connected;
      status.offered = std::max(status.offered, link->offered());
    }
    status.connections += link->connections();
  }
  if (followed_ != nullptr) status.followed = followed_->address();
  if (copy_ != nullptr) {
    status.copies_saved = copy_->saved();
    status.copies_failed = copy_->failed();
  }
  return status;
}

}  // namespace kg::feed
