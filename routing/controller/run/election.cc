#include "routing/controller/run/election.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/log.h"
#include "routing/controller/kube/object.h"

namespace kg::controller {
namespace {

constexpr uint64_t k2020Seconds = 1'577'836'800;  // 2020-01-01T00:00:00Z
constexpr const char* kGroup = "/apis/coordination.k8s.io/v1/namespaces/";

uint64_t transitions_of(const nlohmann::json& lease) {
  const auto& spec = lease.at("spec");
  const auto found = spec.find("leaseTransitions");
  return found != spec.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

uint64_t seconds_since_2020() {
  return std::max(event::wall_us() / 1'000'000, k2020Seconds) - k2020Seconds;
}

// All that is read of it without another look is there.
bool is_lease(const std::optional<nlohmann::json>& object) {
  return object && object->is_object() && object->contains("spec") &&
         object->at("spec").is_object() && object->contains("metadata") &&
         object->at("metadata").is_object();
}

std::string text_of(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Election::Election(event::EventLoop& loop, kube::Client& client, Options options,
                   std::function<void(uint64_t)> on_change)
    : loop_(loop),
      client_(client),
      options_(std::move(options)),
      on_change_(std::move(on_change)),
      timer_(loop, [this] { look(); }) {}

void Election::start() { look(); }

void Election::stand() {
  if (!std::exchange(stands_, true)) look();
}

std::string Election::path() const {
  return kGroup + options_.namespace_name + "/leases/" + options_.lease;
}

void Election::look() {
  if (released_ != nullptr) return end_release("there was no answer in time");
  const uint64_t now = event::monotonic_us();
  if (leads() && now - renewed_us_ > uint64_t{kRenewWithinMs} * 1'000) {
    lose("the Lease could not be renewed");
  }
  timer_.arm_ms(kElectionRetryMs);
  // While we lead the version that we wrote is known: one request renews it.
  if (leads() && !seen_.empty()) return write(lease_, false);
  read();
}

void Election::read() {
  kube::CallRequest request;
  request.target = path();
  request.deadline_ms = kElectionRetryMs;
  drop_call();
  call_ = client_.send(std::move(request), [this](const kube::Reply& reply) { on_lease(reply); });
}

void Election::drop_call() {
  if (call_ != nullptr) call_->cancel();
  loop_.defer_delete(std::move(call_));
}

void Election::on_lease(const kube::Reply& reply) {
  if (released_ != nullptr) return on_lease_to_release(reply);
  if (reply.status == kube::kNotFound && !stands_) return;
  if (reply.status == kube::kNotFound) return create();
  if (!reply.ok()) return say(reply.problem);
  const std::optional<Json> lease = kube::parse_json(reply.body);
  if (!is_lease(lease)) return say("what the API server gave is no Lease");
  judge(*lease);
}

void Election::judge(const Json& lease) {
  const std::string version = text_of(lease.at("metadata"), "resourceVersion");
  const uint64_t now = event::monotonic_us();
  if (version != seen_) {
    seen_ = version;
    seen_us_ = now;
  }
  lease_ = lease;
  holder_ = text_of(lease.at("spec"), "holderIdentity");
  problem_.clear();
  if (holder_ == options_.identity) return write(lease, false);
  if (leads()) lose("another controller holds the Lease");
  if (!stands_) return;
  const auto& spec = lease.at("spec");
  const auto duration = spec.find("leaseDurationSeconds");
  const uint64_t seconds = duration != spec.end() && duration->is_number_unsigned()
                               ? duration->get<uint64_t>()
                               : kLeaseSeconds;
  const uint64_t stood_us = now - seen_us_;
  if (holder_.empty() || stood_us >= seconds * 1'000'000) return try_to_take(lease);
  // A timer counts from the beginning of its turn: no look a moment too early, and then another.
  await_end(seconds * 1'000 - stood_us / 1'000 + 1);
}

// Of the time that its holder has: the look behind it is not up to kElectionRetryMs late.
void Election::await_end(uint64_t milliseconds) {
  if (milliseconds < kElectionRetryMs) timer_.arm_ms(static_cast<uint32_t>(milliseconds));
}

void Election::try_to_take(const Json& lease) {
  if (transitions_of(lease) < kTransitionsMax) return write(lease, true);
  say("its leaseTransitions can grow no further, and nobody leads: delete the Lease, then tell "
      "each proxy `kernelgate admin feed reset`");
}

void Election::create() {
  write({{"apiVersion", "coordination.k8s.io/v1"},
         {"kind", "Lease"},
         {"metadata", {{"name", options_.lease}, {"namespace", options_.namespace_name}}},
         {"spec", Json::object()}},
        true);
}

// The server takes it only if nobody else wrote since: metadata.resourceVersion.
void Election::write(Json lease, bool take) {
  auto& spec = lease["spec"];
  const bool is_new = !lease["metadata"].contains("resourceVersion");
  if (take) {
    // One that was deleted, or lost with its etcd, must not begin below what proxies hold.
    spec["leaseTransitions"] = is_new ? seconds_since_2020() : transitions_of(lease) + 1;
    spec["holderIdentity"] = options_.identity;
    spec["leaseDurationSeconds"] = kLeaseSeconds;
    spec["acquireTime"] = kube::micro_time(event::wall_us());
  }
  spec["renewTime"] = kube::micro_time(event::wall_us());
  if (released_ != nullptr) spec["holderIdentity"] = "";
  kube::CallRequest request;
  request.method = is_new ? fetch::Method::kPost : fetch::Method::kPut;
  request.target = is_new ? kGroup + options_.namespace_name + "/leases" : path();
  request.content_type = "application/json";
  request.body = Secret(lease.dump());
  request.deadline_ms = kElectionRetryMs;
  const uint64_t term = transitions_of(lease) + 1;
  const uint64_t sent_us = event::monotonic_us();
  drop_call();
  call_ = client_.send(std::move(request), [this, term, sent_us](const kube::Reply& reply) {
    if (reply.ok()) renewed_us_ = sent_us;
    on_written(reply, term);
  });
}

void Election::on_written(const kube::Reply& reply, uint64_t term) {
  if (released_ != nullptr) return on_released(reply);
  if (reply.ok()) {
    const std::optional<Json> lease = kube::parse_json(reply.body);
    lease_ = is_lease(lease) ? *lease : Json();
    seen_ = lease_.is_object() ? text_of(lease_.at("metadata"), "resourceVersion") : "";
    seen_us_ = event::monotonic_us();
    problem_.clear();
    return lead(term);
  }
  seen_.clear();  // the next look reads it first
  // Another one was quicker: no fault.
  if (reply.status != kube::kConflict) say(reply.problem);
}

void Election::lead(uint64_t term) {
  holder_ = options_.identity;
  if (term_ == term) return;
  term_ = term;
  log::info("election", "leads lease={} term={}", options_.lease, term);
  on_change_(term);
}

void Election::lose(const char* why) {
  term_ = 0;
  log::warn("election", "leads no more lease={} why=\"{}\"", options_.lease, why);
  on_change_(0);
}

void Election::release(std::function<void()> done) {
  timer_.disarm();
  if (!leads() || !lease_.is_object()) return done();
  released_ = std::move(done);
  reread_ = false;
  timer_.arm_ms(kReleaseMs);
  write(lease_, false);
}

void Election::on_released(const kube::Reply& reply) {
  if (reply.status == kube::kConflict && !std::exchange(reread_, true)) return read();
  end_release(reply.problem);
}

void Election::on_lease_to_release(const kube::Reply& reply) {
  if (!reply.ok()) return end_release(reply.problem);
  std::optional<Json> lease = kube::parse_json(reply.body);
  if (!is_lease(lease)) return end_release("what the API server gave is no Lease");
  if (text_of(lease->at("spec"), "holderIdentity") != options_.identity) return end_release("");
  write(*std::move(lease), false);
}

void Election::end_release(const std::string& problem) {
  timer_.disarm();
  drop_call();
  if (!problem.empty()) say("it is not released, and others wait until it ends: " + problem);
  std::exchange(released_, nullptr)();
}

void Election::say(const std::string& problem) {
  if (problem == problem_) return;
  problem_ = problem;
  log::warn("election", "lease={} problem=\"{}\"", options_.lease, problem);
}

}  // namespace kg::controller
