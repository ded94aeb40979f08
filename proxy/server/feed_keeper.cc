#include "proxy/server/feed_keeper.h"

#include <fmt/core.h>

#include <filesystem>

#include "proxy/base/log.h"
#include "routing/feed/scope.h"
#include "routing/revocation_notice.h"

namespace kg::server {
namespace {

std::string version_json(feed::Version version) {
  if (version == feed::Version()) return "null";
  return fmt::format("\"{}.{}\"", version.term, version.sequence);
}

}  // namespace

std::string FeedKeeper::start(const config::Feed& wanted, const std::string& state_dir) {
  feed::Subscriber::Options options;
  options.controllers = wanted.controllers;
  options.name = wanted.name;
  options.controller_keys = wanted.controller_keys;
  options.plaintext = wanted.plaintext;
  if (!wanted.plaintext) {
    std::string problem;
    options.keys = feed::read_keys(wanted.key_file, problem);
    if (!options.keys) return problem;
    if (!state_dir.empty()) options.copy_file = std::filesystem::path(state_dir) / "feed";
  }
  feed::SubscriberHandler& handler = *this;
  subscriber_ = std::make_unique<feed::Subscriber>(loop_, handler, std::move(options));
  return subscriber_->start();
}

std::string FeedKeeper::on_update(feed::Version version, std::span<const feed::Item> upserts,
                                  std::span<const std::string> deletes, bool whole) {
  Lists fresh;
  for (const feed::Item& item : upserts) {
    if (!routing::is_revocations_key(item.key)) continue;
    auto list = routing::read_revocations(item);
    if (!list) return item.key + ": cannot be read";
    fresh[item.key] = *std::move(list);
  }
  std::string refused = hooks_.apply(upserts, deletes, whole);
  if (!refused.empty()) {
    log::error("feed", "update refused, what was announced before serves on version={}.{} why={}",
               version.term, version.sequence, refused);
    return refused;
  }
  // Before the proxy counts as ready: a revoked session is refused from the first request on.
  if (take_lists(std::move(fresh), deletes, whole) || version.term != term_) {
    term_ = version.term;
    std::vector<auth::Revocation> all;
    for (const auto& [key, list] : revocations_) all.insert(all.end(), list.begin(), list.end());
    hooks_.announced(std::move(all), term_);
  }
  has_state_ = true;
  return "";
}

// Of an update that brings none, as most do, no list is looked at.
bool FeedKeeper::take_lists(Lists fresh, std::span<const std::string> deletes, bool whole) {
  if (whole) {
    const bool is_other = fresh != revocations_;
    revocations_ = std::move(fresh);
    return is_other;
  }
  bool is_other = false;
  for (const std::string& key : deletes) is_other = revocations_.erase(key) > 0 || is_other;
  for (auto& [key, list] : fresh) {
    std::vector<auth::Revocation>& known = revocations_[key];
    is_other = is_other || known != list;
    known = std::move(list);
  }
  return is_other;
}

void FeedKeeper::on_fact(const feed::Fact& fact) {
  if (const auto notice = routing::RevocationNotice::of(fact)) return hooks_.hear(*notice);
  auto renewals = routing::read_renewals(fact.bytes);
  if (!renewals || fact.scope_namespace.empty() || fact.endpoint == feed::kEveryEndpoint) return;
  hooks_.renewed({fact.scope_namespace, fact.endpoint}, *std::move(renewals));
}

std::vector<std::string> FeedKeeper::scopes_for(const std::string& scope) const {
  const feed::Scope* own = subscriber_ == nullptr ? nullptr : subscriber_->scope();
  if (own == nullptr) return {};
  if (!scope.empty()) return may_say(scope) ? std::vector{scope} : std::vector<std::string>{};
  std::vector<std::string> out;
  for (const auto& [name, endpoint] : own->places()) {
    out.push_back(routing::scope_of(name, endpoint).value_or(""));
  }
  return out;
}

bool FeedKeeper::may_say(const std::string& scope) const {
  const feed::Scope* own = subscriber_ == nullptr ? nullptr : subscriber_->scope();
  const routing::FeedScope where = routing::feed_scope(scope);
  return own == nullptr || own->speaks_for(where.scope_namespace, where.endpoint);
}

bool FeedKeeper::tell(const routing::RevocationNotice& notice) {
  return subscriber_ != nullptr && subscriber_->publish_fact(notice.fact());
}

bool FeedKeeper::tell_renewals(const auth::Place& place,
                               std::span<const routing::Renewal> renewals) {
  if (subscriber_ == nullptr || subscriber_->scope() == nullptr) return false;
  // Of endpoints that its key does not see, as some of its own file, it says nothing.
  if (!subscriber_->scope()->speaks_for(place.virtual_cluster, place.endpoint)) return true;
  feed::Fact fact;
  fact.scope_namespace = place.virtual_cluster;
  fact.endpoint = place.endpoint;
  fact.bytes = routing::renewals_text(renewals);
  return subscriber_->publish_fact(std::move(fact));
}

std::optional<std::string> FeedKeeper::reset() {
  if (subscriber_ == nullptr) return std::nullopt;
  const feed::SubscriberStatus before = subscriber_->status();
  subscriber_->reset();
  return fmt::format("{{\"reset\":true,\"held\":{},\"offered\":{},\"controllers\":{}}}",
                     version_json(before.version), version_json(before.offered), before.connected);
}

void FeedKeeper::add_facts(metrics::ProcessFacts& facts) const {
  if (subscriber_ == nullptr) return;
  const feed::SubscriberStatus status = subscriber_->status();
  const feed::SubscriberCounts& counts = subscriber_->counts();
  metrics::FeedFact& out = facts.feed.emplace();
  out.term = status.version.term;
  out.sequence = status.version.sequence;
  out.age_seconds = static_cast<double>(status.age_ms) / 1e3;
  out.items = status.items;
  out.connected = status.connected;
  out.updates = counts.updates;
  out.facts = {{"sent", counts.facts_sent},
               {"heard", counts.facts_heard},
               {"dropped", counts.facts_dropped}};
  out.rejected = {{"refused", counts.refused},   {"unreadable", counts.unreadable},
                  {"older", counts.older},       {"gap", counts.gaps},
                  {"diverged", counts.diverged}, {"too_large", counts.too_large},
                  {"schema", counts.schema},     {"behind", counts.behind}};
}

std::string FeedKeeper::ready_members() const {
  if (subscriber_ == nullptr) return "";
  const feed::SubscriberStatus status = subscriber_->status();
  return fmt::format(R"(,"feed":{{"version":"{}.{}","digest":"{}","items":{},"age_seconds":{:.3f},)"
                     R"("controllers":{},"offered":{},"from_copy":{}}})",
                     status.version.term, status.version.sequence, feed::text_of(status.digest),
                     status.items, static_cast<double>(status.age_ms) / 1e3, status.connected,
                     version_json(status.offered), status.from_copy);
}

}  // namespace kg::server
