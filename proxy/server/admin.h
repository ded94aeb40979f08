// Admin: what operators may change or see of sessions, kernels and pods while the process runs:
// plain HTTP on an address of its own, off unless it is configured, each call with the token of
// `admin.token_file`.
//
//   POST   /revocations   {"token_id"|"session"|"subject"+"realm"|"endpoint", "scope", "before",
//                         "until"}; answers how far it was told
//   DELETE /revocations   the same names: takes entries of calls back, here and at all replicas
//   GET    /revocations   all entries, those of the file too
//   GET    /sessions      open WebSockets by endpoint and user
//   GET    /kernels       open WebSockets by what their kernels are doing
//   GET    /pods          every gateway pod: state, kernels, kernel starts in flight
//   GET    /pods/ENDPOINT/POD            one of them
//   POST   /pods/ENDPOINT/POD/cordon     closed for new kernels from now on; answers as GET
//   POST   /pods/ENDPOINT/POD/uncordon   open again
//   POST   /feed/reset   the next version that controllers offer is taken, an older one too
//
// Owner:  the Server. Thread: control.
// Errors: JSON with reason and message: 400 a body that is no revocation, 401 without the token,
// 403
//         what this proxy's key does not speak for, 404 a pod or an entry that is not known, 409 a
//         feed that is not configured, 503 when there is no more room, workers do not answer, or a
//         controller is needed and none is there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/revocations.h"
#include "proxy/base/secret.h"
#include "proxy/event/status_server.h"
#include "proxy/server/kernel_sights.h"
#include "proxy/server/pod_report.h"
#include "proxy/server/revocation_outbox.h"
#include "proxy/server/session_counts.h"

namespace kg::server {

// What the calls do.
struct Revoked {
  enum class Outcome : uint8_t { kDone, kNoRoom, kNoAnswer, kNotOurs };
  Outcome outcome = Outcome::kDone;
  size_t websockets_ended = 0;
  Told told;
};

struct TakenBack {
  enum class Outcome : uint8_t { kDone, kUnknown, kNotOurs, kUnheard };
  Outcome outcome = Outcome::kDone;
  size_t entries = 0;
  Told told;
};

class AdminActions {
 public:
  // Acts on all workers before it returns.
  virtual Revoked revoke(auth::Revocation revocation) = 0;
  virtual TakenBack unrevoke(const auth::Revocation& asked) = 0;
  virtual std::string revocations_json() const = 0;  // an array
  // Nothing if a worker does not answer in time.
  virtual std::optional<SessionCounts> open_sessions() = 0;
  virtual std::optional<KernelSights> open_kernels() = 0;

 protected:
  ~AdminActions() = default;
};

using PodName = std::pair<std::string, std::string>;  // endpoint, pod

class PodActions {
 public:
  enum class Outcome : uint8_t { kDone, kUnknown, kNoRoom };
  virtual std::vector<PodReport> pods() const = 0;
  virtual std::optional<PodReport> pod(const PodName& name) const = 0;  // nothing: not known
  // Both: what stands so already is done.
  virtual Outcome cordon(const PodName& name) = 0;
  virtual Outcome uncordon(const PodName& name) = 0;

 protected:
  ~PodActions() = default;
};

class FeedActions {
 public:
  // What came of it, as JSON; nothing if there is no feed.
  virtual std::optional<std::string> reset_feed() = 0;

 protected:
  ~FeedActions() = default;
};

class Admin {
 public:
  Admin(event::EventLoop& loop, AdminActions& actions, PodActions& pods, FeedActions& feed);

  Result<uint16_t> listen(const event::SocketAddress& address) { return http_.listen(address); }
  void set_token(Secret token) { token_ = std::move(token); }  // empty: nobody may call

 private:
  using Answer = event::StatusServer::Answer;
  using Request = event::StatusServer::Request;
  using Verb = event::StatusServer::Verb;
  void add(Verb verb, const std::string& path, Answer (Admin::*call)(const Request& request));
  bool has_token(std::string_view authorization) const noexcept;
  Answer post_revocation(const Request& request);
  Answer delete_revocation(const Request& request);
  Answer get_revocations(const Request& request);
  Answer get_sessions(const Request& request);
  Answer get_kernels(const Request& request);
  Answer get_pods(const Request& request);
  Answer get_pod(const Request& request);
  Answer post_pod(const Request& request);
  Answer post_feed_reset(const Request& request);

  AdminActions& actions_;
  PodActions& pods_;
  FeedActions& feed_;
  event::StatusServer http_;
  Secret token_;
};

}  // namespace kg::server
