// Election: which of several controllers leads, by a Lease of Kubernetes (coordination.k8s.io/v1),
// as the cluster's own components do it.
//
//   waiting ──▶ the Lease is nobody's, or its holder was not seen to renew it for its whole
//     ▲         duration ──▶ we write our name (the server refuses all writers but one) ──▶ leading
//     └──────── another name stands there, or we could not renew for kRenewWithinMs ◀──────────┘
//
// The term is the Lease's count of transitions, one more: it grows with every change of holder, so
// that what a former leader still says is older. A new Lease begins with the seconds since 2020,
// since proxies may hold versions of one that is no more. Kubernetes counts in an int32, which
// those seconds leave in 2088: a Lease that stands at kTransitionsMax is not taken any more, since
// two leaders of one term could contradict each other.
// Owner:  the controller. Thread: the loop's. Clocks of two machines are never compared: what
//         counts is how long the Lease has stood unchanged before our eyes.
// Errors: logged once as long as they stay the same; asked again every kElectionRetryMs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy/event/watcher.h"
#include "routing/controller/kube/client.h"

namespace kg::controller {

inline constexpr uint32_t kLeaseSeconds = 15;        // then others may take it
inline constexpr uint32_t kRenewWithinMs = 10'000;   // before that we hold it for lost
inline constexpr uint32_t kElectionRetryMs = 2'000;  // between looks, and between renewals
// The whole hand-over at our end: the others look every kElectionRetryMs, and a pod has 30 s.
inline constexpr uint32_t kReleaseMs = 5'000;
inline constexpr uint64_t kTransitionsMax = 2'147'483'647;  // of spec.leaseTransitions, an int32

class Election {
 public:
  struct Options {
    std::string namespace_name;  // of the Lease
    std::string lease = "kernelgate-controller";
    std::string identity;  // of this process, of no other before or after it
  };
  // `on_change` hears the term when we begin to lead, and 0 when we no longer do.
  Election(event::EventLoop& loop, kube::Client& client, Options options,
           std::function<void(uint64_t term)> on_change);

  // Watches the Lease; takes it only once it stands.
  void start();
  // To be called when there is something to publish: who leads and is not ready keeps out others
  // that are, and its first compilation may take longer than a renewal may wait.
  void stand();
  // Lets others have it at once; `done` when that is written, or could not be, within kReleaseMs.
  // A renewal that was under way may be taken before it: then it is read and written once more.
  void release(std::function<void()> done);

  bool leads() const noexcept { return term_ != 0; }
  uint64_t term() const noexcept { return term_; }
  const std::string& holder() const noexcept { return holder_; }  // as last seen

 private:
  using Json = nlohmann::json;

  void look();
  void read();
  void on_lease(const kube::Reply& reply);
  void on_lease_to_release(const kube::Reply& reply);
  void judge(const Json& lease);
  void await_end(uint64_t milliseconds);
  void try_to_take(const Json& lease);
  void create();
  void drop_call();
  void write(Json lease, bool take);
  void on_written(const kube::Reply& reply, uint64_t term);
  void on_released(const kube::Reply& reply);
  void end_release(const std::string& problem);
  void lead(uint64_t term);
  void lose(const char* why);
  void say(const std::string& problem);
  std::string path() const;

  event::EventLoop& loop_;
  kube::Client& client_;
  const Options options_;
  std::function<void(uint64_t)> on_change_;
  event::Timer timer_;
  std::unique_ptr<kube::Call> call_;
  std::function<void()> released_;  // set: we are to hold it no more
  bool reread_ = false;             // for that
  Json lease_;                      // as last seen
  std::string seen_;                // its resourceVersion
  uint64_t seen_us_ = 0;            // since when it stands like that
  uint64_t renewed_us_ = 0;         // when our last write that was taken was sent
  uint64_t term_ = 0;               // 0: we do not lead
  bool stands_ = false;
  std::string holder_;
  std::string problem_;
};

}  // namespace kg::controller
