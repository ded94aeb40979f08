// RemoteJudge: sessions of which only a service can tell. It is asked once for one credential,
// however many workers want to know, and believed for a while.
//
// Owner:  the authenticators that use it, shared; Sources finds it again after a reload, with all
//         that it knows. Thread: ask() any; answers come on the network thread.
// Limits: VerdictCache's; questions at a time are the Fetcher's.
// Errors: a service that cannot be asked, or whose answer cannot be read, is kSessionUnknown and is
//         not remembered: it says nothing about the client.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/authenticator.h"
#include "proxy/base/secret.h"
#include "proxy/fetch/fetcher.h"

namespace kg::auth {

// How one kind of service is asked, and what its answers mean. Immutable; any thread.
class Question {
 public:
  Question() = default;
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
  virtual ~Question() = default;

  virtual fetch::Request request(const Secret& token) const = 0;
  // kPrincipal or kRefused. `answer` came, with whatever status. `now`: seconds since the epoch.
  virtual Verdict read(const fetch::Answer& answer, const Secret& token, int64_t now) const = 0;
};

struct RemoteTimes {
  uint32_t believed_s = 0;  // a good answer, and never beyond the session's end
  uint32_t refused_s = 0;   // a bad one
};

class RemoteJudge {
 public:
  RemoteJudge(fetch::Fetcher& fetcher, std::unique_ptr<const Question> question, RemoteTimes times);
  ~RemoteJudge();
  RemoteJudge(const RemoteJudge&) = delete;
  RemoteJudge& operator=(const RemoteJudge&) = delete;

  void ask(std::string_view token, Authenticator::Answer answer);

 private:
  struct State;
  std::shared_ptr<State> state_;  // a question under way holds it too
};

// The link of a chain in front of it: knows nothing without asking.
class RemoteAuthenticator final : public Authenticator {
 public:
  explicit RemoteAuthenticator(std::shared_ptr<RemoteJudge> judge) : judge_(std::move(judge)) {}

  Proof proof() const noexcept override { return Proof::kToken; }
  Verdict judge(const Evidence& evidence, int64_t now) const override;
  void ask(const Evidence& evidence, int64_t now, const Answer& answer) const override;

 private:
  std::shared_ptr<RemoteJudge> judge_;
};

}  // namespace kg::auth
