#include "proxy/upstream/health_checker.h"

#include <utility>

#include "proxy/base/crypto.h"
#include "proxy/base/log.h"

namespace kg::upstream {
namespace {

unsigned seed() {
  unsigned value = 0;
  crypto::random_bytes(&value, sizeof value);
  return value;
}

// What makes it the same pod after a reload.
std::string key_of(const routing::Endpoint& endpoint) {
  return endpoint.virtual_cluster + '/' + endpoint.id + '/' + endpoint.pod.address.text();
}

std::string request_of(const routing::Endpoint& endpoint) {
  std::string out = "GET ";
  if (!endpoint.strip_prefix) out.append(endpoint.path_prefix);
  out.append(endpoint.health.path).append(" HTTP/1.1\r\nHost: ");
  out.append(endpoint.pod.address.text());
  out.append("\r\nUser-Agent: kernelgate-health-check\r\nAccept: */*\r\n");
  if (!endpoint.gateway_token.empty()) {
    out.append("Authorization: token ").append(endpoint.gateway_token.reveal()).append("\r\n");
  }
  return out.append("Connection: close\r\n\r\n");
}

}  // namespace

// The checks of one pod, one after the other.
class PodCheck final : public event::Deferred, private UpstreamHandler, private LeaseWaiter {
 public:
  PodCheck(HealthChecker& owner, routing::EndpointRef endpoint, HealthState state)
      : owner_(owner),
        endpoint_(std::move(endpoint)),
        pool_(owner.loop_, owner.unexported_, owner.unexported_.endpoint(0), endpoint_->pod,
              owner.thread_),
        state_(state),
        next_(owner.loop_, [this] { begin(); }),
        deadline_(owner.loop_, [this] { finish(false, "no answer in time"); }) {
    next_.arm_ms(owner_.part_of(endpoint_->health.interval_ms));
  }
  ~PodCheck() override { give_back(); }

  const routing::Endpoint& endpoint() const noexcept { return *endpoint_; }
  const HealthState& state() const noexcept { return state_; }

 private:
  void begin() {
    const Result<UpstreamConnection*> leased = pool_.lease(*this, LeaseKind::kFresh);
    if (!leased) {
      // That we are out of descriptors says nothing of the pod.
      if (leased.error().row().side != Side::kUpstream) return wait();
      return finish(false, leased.error().row().label);
    }
    connection_ = *leased;
    status_ = 0;
    deadline_.set_ms(endpoint_->health.timeout_ms);
    connection_->begin(*this, http::Method::kGet);
    connection_->stream().write(request_of(*endpoint_));
  }
  void on_response_head(const http::ResponseHead& head) override { status_ = head.status; }
  void on_interim_head(const http::ResponseHead&) override {}
  void on_response_body(std::string_view) override {}
  void on_response_end() override {
    // Without a token of our own a managed gateway cannot say more than that it wants one.
    const bool asks_for_one = status_ == 401 && endpoint_->forwards_credentials;
    finish(status_ == 200 || asks_for_one,
           status_ == 401 ? "the token is not accepted" : "not 200");
  }
  void on_tunnel_data(std::string_view) override {}
  void on_tunnel_end() override {}
  void on_upstream_drained() override {}
  void on_upstream_error(const Error& error) override { finish(false, error.row().label); }
  void on_lease(UpstreamConnection&) override {}  // never queued: one at a time
  void on_lease_failed(const Error&) override {}

  void finish(bool passed, std::string_view reason) {
    deadline_.clear();
    give_back();
    metrics::EndpointHealth& counts = owner_.counts_[endpoint_->metrics_slot];
    ++(passed ? counts.passed : counts.failed);
    if (state_.report(passed)) announce(reason);
    wait();
  }
  void wait() {
    const uint64_t interval = endpoint_->health.interval_ms;
    next_.arm_ms(interval - interval / 20 + owner_.part_of(interval / 10 + 1));
  }
  void announce(std::string_view reason) const {
    if (state_.healthy()) {
      log::info("upstream", "pod healthy endpoint={} pod={}", endpoint_->id, endpoint_->pod.name);
    } else {
      log::warn("upstream", "pod unhealthy endpoint={} pod={} status={} reason=\"{}\"",
                endpoint_->id, endpoint_->pod.name, status_, reason);
    }
  }
  void give_back() {
    UpstreamConnection* connection = std::exchange(connection_, nullptr);
    if (connection != nullptr) pool_.release(*connection, false);
  }

  HealthChecker& owner_;
  routing::EndpointRef endpoint_;
  PodPool pool_;
  HealthState state_;
  event::Timer next_;
  event::Deadline deadline_;
  UpstreamConnection* connection_ = nullptr;  // leased
  uint16_t status_ = 0;
};

HealthChecker::HealthChecker(event::EventLoop& loop, size_t thread, uint32_t slots)
    : loop_(loop), thread_(thread), chance_(seed()), counts_(slots) {}

HealthChecker::~HealthChecker() = default;

uint64_t HealthChecker::part_of(uint64_t milliseconds) {
  return milliseconds == 0 ? 0 : chance_() % milliseconds;
}

void HealthChecker::apply(const std::vector<routing::EndpointRef>& endpoints) {
  std::map<std::string, std::unique_ptr<PodCheck>> before;
  before.swap(checks_);
  for (const routing::EndpointRef& endpoint : endpoints) {
    const routing::HealthCheck& wanted = endpoint->health;
    if (!wanted.enabled) continue;
    std::string key = key_of(*endpoint);
    const auto known = before.find(key);
    const bool healthy = known == before.end() || known->second->state().healthy();
    const HealthState state(wanted.unhealthy_after, wanted.healthy_after, healthy);
    checks_[std::move(key)] = std::make_unique<PodCheck>(*this, endpoint, state);
  }
  for (auto& [key, check] : before) loop_.defer_delete(std::move(check));
}

std::vector<metrics::EndpointHealth> HealthChecker::facts() const {
  std::vector<metrics::EndpointHealth> out = counts_;
  for (const auto& [key, check] : checks_) {
    metrics::EndpointHealth& health = out[check->endpoint().metrics_slot];
    health.checked = true;
    health.healthy = health.healthy && check->state().healthy();
  }
  return out;
}

}  // namespace kg::upstream
