// Desk: one call of the session credentials API from who asks to what is issued.
//
//   who is it (TokenReview) ──▶ how often does he come ──▶ what does he want ──▶ may he
//   (SubjectAccessReviews) ──▶ the endpoint ──▶ its terms ──▶ the audit line ──▶ the token
//
// Who may not issue at an endpoint hears the same, whether it exists or not: the reviews come first
// and do not look at it. Nothing is issued that is not audited; what is turned away for how many
// come, before anybody looks at it, is only counted. No answer of the API server is remembered: a
// right that was taken away is gone.
// Owner:  the Service. Thread: the loop's. Limits: kApplicationsMax at a time, rates.h.
// Errors: an API server that does not answer is 503, with Retry-After.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "auth/session_signer.h"
#include "proxy/base/secret.h"
#include "proxy/event/event_loop.h"
#include "routing/controller/issuer/answer.h"
#include "routing/controller/issuer/counts.h"
#include "routing/controller/issuer/options.h"
#include "routing/controller/issuer/rates.h"
#include "routing/controller/issuer/replays.h"
#include "routing/controller/issuer/request.h"
#include "routing/controller/kube/client.h"

namespace kg::issuer {

struct Surroundings {
  // The payload of what is announced under that namespace and id, nullptr: nothing is.
  std::function<const std::string*(const Target& target)> find;
  // Is everything known that find() could find?
  std::function<bool()> is_ready;
  // False: it cannot be written.
  std::function<bool(std::string line)> audit;
  std::function<std::shared_ptr<const auth::SessionSigner>()> signer;
};

struct Asked {
  Target target;
  Secret token;  // as bearer_of() has it, "" if there is none
  std::string body;
  std::string client;   // address and port
  std::string address;  // as network_of() has it
};

class Desk {
 public:
  // One call. Cancelled it says no more. Dies by EventLoop::defer_delete.
  class Application : public event::Deferred {
   public:
    // `done` comes once, perhaps within.
    virtual void start() = 0;
    virtual void cancel() noexcept = 0;
  };
  using Done = std::function<void(const Answer&)>;

  Desk(event::EventLoop& loop, kube::Client& client, const Options& options, Surroundings around);
  ~Desk();  // after its applications
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  std::unique_ptr<Application> open(Asked asked, Done done);
  Counts& counts() noexcept { return counts_; }

 private:
  class Call;

  event::EventLoop& loop_;
  kube::Client& client_;
  const std::string issuer_;
  const std::vector<std::string> audiences_;
  const Surroundings around_;
  Counts counts_;
  Rates callers_;
  Rates all_;
  Rates failures_;  // of networks (network_of), of what proves nobody
  Replays replays_;
  size_t open_ = 0;
  std::string problem_;  // of the last review that was not answered
};

}  // namespace kg::issuer
