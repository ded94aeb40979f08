#include "proxy/upstream/pod_census.h"

#include <algorithm>
#include <utility>

#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/kernel/kernel_id.h"
#include "proxy/kernel/operation.h"
#include "proxy/upstream/pod_question.h"

namespace kg::upstream {
namespace {

std::string list_path() {
  kernel::KernelRequest list;
  list.operation = kernel::Operation::kListKernels;
  std::string out;
  kernel::append_target(list, "", out);
  return out;
}

// Where two pods have equal tags both may hold it.
bool is_held(std::string_view id, const routing::Pod& pod, const routing::Endpoint& endpoint) {
  const auto parsed = kernel::parse_kernel_id(id);
  if (!parsed || parsed->pod_tag == pod.tag) return true;
  return std::none_of(endpoint.pods.begin(), endpoint.pods.end(), [&](const routing::Pod& other) {
    return other.tag == parsed->pod_tag && !other.facts->gone();
  });
}

}  // namespace

// The lists of one pod, one after the other.
class PodCounter final {
 public:
  PodCounter(PodCensus& owner, routing::EndpointRef endpoint, const routing::Pod& pod,
             uint64_t interval_ms, const PodCounter* before)
      : owner_(owner),
        endpoint_(std::move(endpoint)),
        pod_(pod),
        interval_ms_(interval_ms),
        question_(owner.loop_, owner.unexported_, *endpoint_, pod_, owner.thread_, "kernelgate",
                  [this](const auto& answer) { take(answer); }),
        next_(owner.loop_, [this] { begin(); }) {
    if (before != nullptr) {
      last_ = before->last_;
      failing_ = before->failing_;
    }
    next_.arm_ms(owner_.chance_.part_of(interval_ms_));
  }

  // What the last list said, unless that is long ago.
  std::optional<PodCount> known() const {
    const uint64_t fresh_ms = std::max<uint64_t>(limits::kCensusFreshMs, 3 * interval_ms_);
    if (!last_ || owner_.loop_.now_us() - last_->asked_us > fresh_ms * 1'000) return std::nullopt;
    return last_;
  }
  void hurry(uint64_t milliseconds) {
    if (!asking_) next_.arm_ms(milliseconds);
  }

 private:
  void begin() {
    asking_ = true;
    now_.asked_us = owner_.loop_.now_us();
    now_.launches_then = pod_.facts->launches() > 0;
    question_.ask(list_path(), limits::kCensusAnswerMs, limits::kListBytesMax);
  }

  void take(const Result<PodQuestion::Answer>& answer) {
    asking_ = false;
    next_.arm_ms(owner_.chance_.about(interval_ms_));
    if (!answer) return fail(answer.error().row().label, 0);
    if (answer->status != 200) return fail("not 200", answer->status);
    const auto census = kernel::take_census(
        answer->body, [this](std::string_view id) { return is_held(id, pod_, *endpoint_); });
    if (!census) return fail("not a list of kernels", answer->status);
    failing_ = false;
    now_.kernels = *census;
    last_ = now_;
    pod_.facts->set_kernels(census->kernels());
  }

  void fail(std::string_view reason, uint16_t status) {
    if (std::exchange(failing_, true)) return;
    log::warn("upstream",
              "pod does not list its kernels endpoint={} pod={} status={} reason=\"{}\"",
              endpoint_->id, pod_.name, status, reason);
  }

  PodCensus& owner_;
  routing::EndpointRef endpoint_;
  const routing::Pod& pod_;  // of endpoint_
  uint64_t interval_ms_;
  std::optional<PodCount> last_;
  PodCount now_;  // being asked for
  bool asking_ = false;
  bool failing_ = false;
  PodQuestion question_;
  event::Timer next_;
};

PodCensus::PodCensus(event::EventLoop& loop, size_t thread) : loop_(loop), thread_(thread) {}

PodCensus::~PodCensus() = default;

void PodCensus::apply(const std::vector<routing::EndpointRef>& endpoints) {
  begin(endpoints, std::exchange(counters_, {}));
}

void PodCensus::edit(const std::vector<routing::EndpointRef>& gone,
                     const std::vector<routing::EndpointRef>& fresh) {
  Counters before;
  for (const routing::EndpointRef& endpoint : gone) {
    for (const routing::Pod& pod : endpoint->pods) {
      if (auto counter = counters_.extract(pod.facts.get())) before.insert(std::move(counter));
    }
  }
  begin(fresh, before);
}

void PodCensus::begin(const std::vector<routing::EndpointRef>& endpoints, const Counters& before) {
  uint64_t pods = counters_.size();
  for (const routing::EndpointRef& endpoint : endpoints) pods += endpoint->pods.size();
  const uint64_t interval_min_ms = pods * 1'000 / limits::kCensusPerSecond;
  for (const routing::EndpointRef& endpoint : endpoints) {
    // The callers' own tokens would each show a part.
    if (endpoint->census_ms == 0 || endpoint->forwards_credentials) continue;
    for (const routing::Pod& pod : endpoint->pods) {
      const auto known = before.find(pod.facts.get());
      counters_[pod.facts.get()] = std::make_unique<PodCounter>(
          *this, endpoint, pod, std::max<uint64_t>(endpoint->census_ms, interval_min_ms),
          known == before.end() ? nullptr : known->second.get());
    }
  }
}

std::optional<PodCount> PodCensus::find(const routing::PodFacts& pod) const {
  const auto counter = counters_.find(&pod);
  return counter == counters_.end() ? std::nullopt : counter->second->known();
}

void PodCensus::hurry(const routing::PodFacts& pod, uint64_t milliseconds) {
  const auto counter = counters_.find(&pod);
  if (counter != counters_.end()) counter->second->hurry(milliseconds);
}

}  // namespace kg::upstream
