// FeedKeeper: what controllers announce, followed and applied, and what became of it.
//
// Owner:  the Server. Thread: control, whose loop carries the connections to controllers.
// Errors: an update that cannot be used is refused whole, logged and counted; what was announced
//         before serves on, without any controller too.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "auth/revocations.h"
#include "config/config.h"
#include "metrics/exporter.h"
#include "proxy/event/event_loop.h"
#include "routing/feed/subscriber.h"

namespace kg::server {

class FeedKeeper final : private feed::SubscriberHandler {
 public:
  // "" takes the update, as of SubscriberHandler.
  using Apply = std::function<std::string(std::span<const feed::Item> upserts,
                                          std::span<const std::string> deletes, bool whole)>;

  // What others revoke or take back, within their scope; all that is revoked, with every update
  // that says so.
  using Hear = std::function<void(bool revoked, const auth::Revocation& revocation)>;
  using Announced = std::function<void(std::vector<auth::Revocation> entries)>;

  FeedKeeper(event::EventLoop& loop, Apply apply, Hear hear, Announced announced)
      : loop_(loop),
        apply_(std::move(apply)),
        hear_(std::move(hear)),
        announced_(std::move(announced)) {}

  // "" or a sentence that says what is wrong. The copy in `state_dir` is applied before it returns.
  std::string start(const config::Feed& wanted, const std::string& state_dir);
  // Whether there is anything announced, or none is to be.
  // Tells all replicas, if a controller hears it.
  void tell(bool revoked, const auth::Revocation& revocation);
  bool ready() const noexcept { return subscriber_ == nullptr || has_state_; }
  void add_facts(metrics::ProcessFacts& facts) const;
  // The answer of /readyz, with what is held: replicas of one scope hold the same where their
  // digests are equal.
  std::string ready_text() const;

 private:
  std::string on_update(feed::Version version, std::span<const feed::Item> upserts,
                        std::span<const std::string> deletes, bool whole) override;
  void on_fact(const feed::Fact& fact) override;

  event::EventLoop& loop_;
  Apply apply_;
  Hear hear_;
  Announced announced_;
  std::unique_ptr<feed::Subscriber> subscriber_;
  bool has_state_ = false;
};

}  // namespace kg::server
