// LaunchFollower: a kernel start that its client no longer waits for. A gateway goes on with it
// (domain J15), and its kernel would run until it is culled, unknown to anybody.
//
//   follow()   --> Answering --201--> Judging --nobody wants it--> Deleting --> gone
//                     |                  \--somebody asked again--> gone
//   look_for() --> Looking --listed--> Deleting
//
// Answering: on the exchange's own connection, until the start's deadline. Judging: whoever asked
// for the same kernel again gets it (LaunchGate::unclaimed). Looking: the answer is lost, so the
// pod's own list is looked at now and then. Deleting: until the gateway said that it is gone.
//
// LaunchFollowers: all of a worker. Owner: the worker's context. Thread: the worker's.
// Limits: kFollowedLaunchesMax; what is left alone then, or at the end of a drain, is logged by id.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "proxy/event/watcher.h"
#include "proxy/exchange/launch.h"
#include "proxy/upstream/local_endpoint.h"

namespace kg::exchange {

class LaunchFollowers;

class LaunchFollower final : public event::Deferred,
                             private upstream::UpstreamHandler,
                             private upstream::LeaseWaiter,
                             private upstream::KernelListWaiter,
                             private LaunchWaiter {
 public:
  LaunchFollower(event::EventLoop& loop, LaunchFollowers& owner, std::unique_ptr<Launch> launch,
                 upstream::EndpointPin endpoint, upstream::LocalPod& pod);
  ~LaunchFollower() override;

  // Takes the lease of `connection`, on which the answer is awaited until `until_us`.
  void follow(upstream::UpstreamConnection& connection, uint64_t until_us);
  void look_for(const LaunchAnswerRef& told, uint64_t until_us);
  // Its session has left it.
  void discard() { begin_deleting(); }
  // Gives back what it holds, and says what it leaves.
  void abandon();

 private:
  enum class State : uint8_t { kAnswering, kJudging, kLooking, kDeleting };

  void on_response_head(const http::ResponseHead& head) override;
  void on_interim_head(const http::ResponseHead&) override {}
  void on_response_body(std::string_view payload) override;
  void on_response_end() override;
  void on_tunnel_data(std::string_view) override {}
  void on_tunnel_end() override {}
  void on_upstream_drained() override {}
  void on_upstream_error(const Error& error) override;
  void on_lease(upstream::UpstreamConnection& connection) override;
  void on_lease_failed(const Error& error) override;
  void on_kernel_list(const Result<upstream::PodListRef>& list) override;
  void on_launch_word(LaunchGate::Word::Kind kind, const LaunchAnswerRef& answer) override;
  void on_deadline();

  void judge_answer();
  void note_change(bool made);
  void lose();
  void look();
  void look_again();
  void begin_deleting();
  void try_delete();
  void delete_later();
  void give_back(bool healthy);
  void leave_alone(const char* why);
  void end();

  event::EventLoop& loop_;
  LaunchFollowers& owner_;
  std::unique_ptr<Launch> launch_;
  upstream::EndpointPin endpoint_;
  upstream::LocalPod& pod_;
  event::Deadline deadline_;
  upstream::UpstreamConnection* connection_ = nullptr;  // leased
  uint64_t until_us_ = 0;                               // of Answering, Looking or Deleting
  uint32_t pause_ms_ = 0;                               // Looking, Deleting: before the next try
  uint16_t status_ = 0;                                 // Deleting: of the answer
  State state_ = State::kAnswering;
  bool listing_ = false;  // Looking: waits for the list
  bool leasing_ = false;  // Deleting: waits for a connection
};

class LaunchFollowers {
 public:
  explicit LaunchFollowers(event::EventLoop& loop) : loop_(loop) {}

  // The client left; `connection` is leased from `pod`.
  void follow(std::unique_ptr<Launch> launch, upstream::EndpointPin endpoint,
              upstream::LocalPod& pod, upstream::UpstreamConnection& connection, uint64_t until_us);
  // The connection is lost, and the client was told `told`.
  void look_for(std::unique_ptr<Launch> launch, upstream::EndpointPin endpoint,
                upstream::LocalPod& pod, const LaunchAnswerRef& told, uint64_t until_us);
  // A kernel that its session has left.
  void discard(std::unique_ptr<Launch> launch, upstream::EndpointPin endpoint,
               upstream::LocalPod& pod);
  void abandon_all();
  size_t size() const noexcept { return followers_.size(); }
  // Called whenever the last one has ended.
  void on_empty(std::function<void()> callback) { on_empty_ = std::move(callback); }

 private:
  friend class LaunchFollower;
  LaunchFollower* add(std::unique_ptr<Launch>& launch, upstream::EndpointPin& endpoint,
                      upstream::LocalPod& pod);
  void forget(LaunchFollower& follower);

  event::EventLoop& loop_;
  std::unordered_map<LaunchFollower*, std::unique_ptr<LaunchFollower>> followers_;
  std::function<void()> on_empty_;
};

// A start that nobody follows to its end, in the operational log: ids, never names of users.
void log_unfollowed(const upstream::LocalPod& pod, const std::string& kernel_id, const char* why);

// The kernel that a 201 names (domain 8.2); "" if it names none.
std::string_view launched_id(const http::ResponseHead& head) noexcept;

}  // namespace kg::exchange
