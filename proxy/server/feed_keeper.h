// FeedKeeper: what controllers announce, followed and applied, and what became of it.
//
// Owner:  the Server. Thread: control, whose loop carries the connections to controllers.
// Errors: an update that cannot be used is refused whole, logged and counted; what was announced
//         before serves on, without any controller too.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "auth/revocations.h"
#include "config/config.h"
#include "metrics/exporter.h"
#include "proxy/event/event_loop.h"
#include "proxy/server/revocation_outbox.h"
#include "routing/feed/subscriber.h"
#include "routing/renewal_notice.h"

namespace kg::server {

class FeedKeeper final : public Replicas, private feed::SubscriberHandler {
 public:
  struct Hooks {
    // "" takes the update, as of SubscriberHandler.
    std::function<std::string(std::span<const feed::Item> upserts,
                              std::span<const std::string> deletes, bool whole)>
        apply;
    // What other replicas revoke or take back, and which sessions they saw renewed; each within the
    // scope of its sender.
    std::function<void(const routing::RevocationNotice& notice)> hear;
    std::function<void(const auth::Place& place, std::vector<routing::Renewal> renewals)> renewed;
    // All that is revoked, whenever that or the term changes.
    std::function<void(std::vector<auth::Revocation> entries, uint64_t term)> announced;
  };

  FeedKeeper(event::EventLoop& loop, Hooks hooks) : loop_(loop), hooks_(std::move(hooks)) {}

  // "" or a sentence that says what is wrong. The copy in `state_dir` is applied before it returns.
  std::string start(const config::Feed& wanted, const std::string& state_dir);
  std::vector<std::string> scopes_for(const std::string& scope) const override;
  bool may_say(const std::string& scope) const override;
  bool tell(const routing::RevocationNotice& notice) override;
  bool tell_renewals(const auth::Place& place, std::span<const routing::Renewal> renewals);
  // Whatever version controllers offer next is taken. What was held and what is offered, as JSON;
  // nothing if no feed is configured.
  std::optional<std::string> reset();
  // Whether there is anything announced, or none is to be.
  bool ready() const noexcept { return subscriber_ == nullptr || has_state_; }
  void add_facts(metrics::ProcessFacts& facts) const;
  // What is held, for the JSON object that /readyz answers with, behind other members of it:
  // replicas of one scope hold the same where their digests are equal. "" if no feed is configured.
  std::string ready_members() const;

 private:
  using Lists = std::map<std::string, std::vector<auth::Revocation>>;  // of revocations, by key

  std::string on_update(feed::Version version, std::span<const feed::Item> upserts,
                        std::span<const std::string> deletes, bool whole) override;
  void on_fact(const feed::Fact& fact) override;
  // True if something else is revoked now.
  bool take_lists(Lists fresh, std::span<const std::string> deletes, bool whole);

  event::EventLoop& loop_;
  Hooks hooks_;
  std::unique_ptr<feed::Subscriber> subscriber_;
  Lists revocations_;
  uint64_t term_ = 0;
  bool has_state_ = false;
};

}  // namespace kg::server
