// Launch: one kernel start on its way, from the turn that it waits for to the gateway's answer.
//
// Owner: the Exchange that was asked for it; a LaunchFollower once its client has left.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "proxy/base/secret.h"
#include "proxy/exchange/launch_answer.h"
#include "proxy/exchange/launch_desk.h"
#include "proxy/exchange/quotas.h"
#include "proxy/kernel/launch_body.h"
#include "routing/pod_facts.h"

namespace kg::exchange {

// A start in flight, counted at its pod.
class PodLaunch {
 public:
  PodLaunch() = default;
  explicit PodLaunch(routing::PodFactsRef facts) : facts_(std::move(facts)) {
    facts_->begin_launch();
  }
  PodLaunch(PodLaunch&& other) noexcept : facts_(std::exchange(other.facts_, nullptr)) {}
  PodLaunch& operator=(PodLaunch&& other) noexcept {
    std::swap(facts_, other.facts_);
    return *this;
  }
  ~PodLaunch() {
    if (facts_ != nullptr) facts_->end_launch();
  }

 private:
  routing::PodFactsRef facts_;
};

struct Launch {
  explicit Launch(kernel::LaunchBody launch_body) : body(std::move(launch_body)) {}

  kernel::LaunchBody body;
  LaunchTicket ticket;
  PodLaunch at;
  std::shared_ptr<LaunchAnswer> answer = std::make_shared<LaunchAnswer>();  // as far as it came
  uint64_t tried = 0;     // pods that could not be reached, by index: at most 64 of them
  uint64_t asked_us = 0;  // monotonic: for a turn
  bool new_id = false;    // the one of its key may still come up
  // Once the client has left:
  Quotas::Hold principal;
  Secret token;  // the caller's, where credentials are forwarded
};

}  // namespace kg::exchange
