#include "proxy/upstream/health_checker.h"

#include <algorithm>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/upstream/pod_question.h"

namespace kg::upstream {

// The checks of one pod, one after the other.
class PodCheck final {
 public:
  // `before`: the same pod's check of the configuration before, or null.
  PodCheck(HealthChecker& owner, routing::EndpointRef endpoint, const routing::Pod& pod,
           const PodCheck* before)
      : owner_(owner),
        endpoint_(std::move(endpoint)),
        pod_(pod),
        state_(endpoint_->health.unhealthy_after, endpoint_->health.healthy_after,
               before == nullptr || before->state_.healthy()),
        failing_since_us_(before == nullptr ? 0 : before->failing_since_us_),
        question_(owner.loop_, owner.unexported_, *endpoint_, pod_, owner.thread_,
                  "kernelgate-health-check", [this](const auto& answer) { judge(answer); }),
        next_(owner.loop_, [this] { begin(); }) {
    next_.arm_ms(owner_.chance_.part_of(owner_.interval_ms(*endpoint_)));
  }

  uint32_t slot() const noexcept { return endpoint_->metrics_slot; }

 private:
  void begin() {
    began_us_ = owner_.loop_.now_us();
    question_.ask(endpoint_->health.path, endpoint_->health.timeout_ms, 0);
  }

  void judge(const Result<PodQuestion::Answer>& answer) {
    if (!answer) {
      const Error& error = answer.error();
      // That we are out of descriptors says nothing of the pod.
      if (error.row().side != Side::kUpstream) return wait();
      const bool late = error.code == ErrorCode::kUpstreamTimeout;
      return note(false, 0, late ? std::string_view(error.detail) : error.row().label);
    }
    const uint16_t status = answer->status;
    // Without a token of our own a managed gateway cannot say more than that it wants one.
    const bool asks_for_one = status == 401 && endpoint_->forwards_credentials;
    note(status == 200 || asks_for_one, status,
         status == 401 ? "the token is not accepted" : "not 200");
  }

  void note(bool passed, uint16_t status, std::string_view reason) {
    metrics::EndpointHealth& counts = owner_.counts_[slot()];
    ++(passed ? counts.passed : counts.failed);
    if (passed) {
      failing_since_us_ = 0;
    } else if (failing_since_us_ == 0) {
      failing_since_us_ = began_us_;
    }
    if (state_.report(passed)) change(status, reason);
    if (!state_.healthy() && !passed) look_whether_gone();
    wait();
  }

  void change(uint16_t status, std::string_view reason) const {
    routing::PodFacts& facts = *pod_.facts;
    if (state_.healthy()) {
      // In this order: nobody may find it back and not suspect it.
      facts.suspect_restart();
      facts.set_gone(false);
      facts.set_healthy(true);
      log::info("upstream", "pod healthy endpoint={} pod={}", endpoint_->id, pod_.name);
      return;
    }
    facts.set_healthy(false);
    log::warn("upstream", "pod unhealthy endpoint={} pod={} status={} reason=\"{}\"", endpoint_->id,
              pod_.name, status, reason);
  }

  void look_whether_gone() const {
    const uint64_t failing_ms = (owner_.loop_.now_us() - failing_since_us_) / 1'000;
    if (failing_ms < endpoint_->gone_after_ms || pod_.facts->gone()) return;
    pod_.facts->set_gone(true);
    log::warn("upstream", "pod gone endpoint={} pod={} failing_ms={}", endpoint_->id, pod_.name,
              failing_ms);
  }

  void wait() { next_.arm_ms(owner_.chance_.about(owner_.interval_ms(*endpoint_))); }

  HealthChecker& owner_;
  routing::EndpointRef endpoint_;
  const routing::Pod& pod_;  // of endpoint_
  HealthState state_;
  uint64_t failing_since_us_;  // the first of the failed checks in a row began; 0: none
  uint64_t began_us_ = 0;
  PodQuestion question_;
  event::Timer next_;
};

HealthChecker::HealthChecker(event::EventLoop& loop, size_t thread, uint32_t slots)
    : loop_(loop), thread_(thread), counts_(slots) {}

HealthChecker::~HealthChecker() = default;

void HealthChecker::apply(const std::vector<routing::EndpointRef>& endpoints) {
  begin(endpoints, std::exchange(checks_, {}));
}

void HealthChecker::edit(const std::vector<routing::EndpointRef>& gone,
                         const std::vector<routing::EndpointRef>& fresh) {
  Checks before;
  for (const routing::EndpointRef& endpoint : gone) {
    for (const routing::Pod& pod : endpoint->pods) {
      if (auto check = checks_.extract(pod.facts.get())) before.insert(std::move(check));
    }
  }
  begin(fresh, before);
}

uint64_t HealthChecker::interval_ms(const routing::Endpoint& endpoint) const noexcept {
  return std::max<uint64_t>(endpoint.health.interval_ms, interval_min_ms_);
}

void HealthChecker::begin(const std::vector<routing::EndpointRef>& endpoints,
                          const Checks& before) {
  uint64_t pods = checks_.size();
  for (const routing::EndpointRef& endpoint : endpoints) {
    if (endpoint->health.enabled) pods += endpoint->pods.size();
  }
  interval_min_ms_ = pods * 1'000 / kHealthChecksPerSecond;
  for (const routing::EndpointRef& endpoint : endpoints) {
    for (const routing::Pod& pod : endpoint->pods) {
      if (!endpoint->health.enabled) {
        pod.facts->set_gone(false);
        pod.facts->set_healthy(true);
        continue;
      }
      const auto known = before.find(pod.facts.get());
      const PodCheck* same = known == before.end() ? nullptr : known->second.get();
      checks_[pod.facts.get()] = std::make_unique<PodCheck>(*this, endpoint, pod, same);
    }
  }
}

std::vector<metrics::EndpointHealth> HealthChecker::counts() const {
  std::vector<metrics::EndpointHealth> out = counts_;
  for (const auto& [facts, check] : checks_) out[check->slot()].checked = true;
  return out;
}

}  // namespace kg::upstream
