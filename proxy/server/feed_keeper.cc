#include "proxy/server/feed_keeper.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "proxy/base/log.h"
#include "routing/revocation_notice.h"

namespace kg::server {

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
  std::optional<std::vector<auth::Revocation>> revocations;
  for (const feed::Item& item : upserts) {
    if (item.key != routing::kRevocationsKey) continue;
    revocations = routing::read_revocations_payload(*item.payload);
    if (!revocations) return "revocations: cannot be read";
  }
  if (!revocations &&
      (whole || std::ranges::find(deletes, routing::kRevocationsKey) != deletes.end())) {
    revocations.emplace();
  }
  std::string refused = apply_(upserts, deletes, whole);
  if (!refused.empty()) {
    log::error("feed", "update refused, what was announced before serves on version={}.{} why={}",
               version.term, version.sequence, refused);
    return refused;
  }
  // Before the proxy counts as ready: a revoked session is refused from the first request on.
  if (revocations) announced_(std::move(*revocations));
  has_state_ = true;
  return "";
}

void FeedKeeper::on_fact(const feed::Fact& fact) {
  if (!routing::may_revoke(fact.scope_namespace)) return;
  const auto notice = routing::RevocationNotice::parse(fact.bytes);
  if (notice) hear_(notice->revoked, notice->revocation);
}

void FeedKeeper::tell(bool revoked, const auth::Revocation& revocation) {
  if (subscriber_ == nullptr) return;
  feed::Fact fact;
  fact.bytes = routing::RevocationNotice{revoked, revocation}.text();
  if (!subscriber_->publish_fact(std::move(fact))) {
    log::error("feed", "no controller hears of a revocation, which is this replica's alone kind={}",
               auth::kind_name(revocation.kind));
  }
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
  out.rejected = {{"refused", counts.refused},   {"unreadable", counts.unreadable},
                  {"older", counts.older},       {"gap", counts.gaps},
                  {"diverged", counts.diverged}, {"too_large", counts.too_large},
                  {"schema", counts.schema}};
}

std::string FeedKeeper::ready_text() const {
  if (subscriber_ == nullptr) return "{\"status\":\"ok\"}\n";
  const feed::SubscriberStatus status = subscriber_->status();
  return fmt::format(
      R"({{"status":"ok","feed":{{"version":"{}.{}","digest":"{}","items":{},"age_seconds":{:.3f},)"
      R"("controllers":{},"from_copy":{}}}}})"
      "\n",
      status.version.term, status.version.sequence, feed::text_of(status.digest), status.items,
      static_cast<double>(status.age_ms) / 1e3, status.connected, status.from_copy);
}

}  // namespace kg::server
