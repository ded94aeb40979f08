// AlbAuthenticator: sessions that an AWS Application Load Balancer vouches for in x-amzn-oidc-data
// (auth/alb_token.h). Evidence has it from trusted proxies only.
//
// Recognises what names one of its signers, its client and its issuer. A kid that AlbKeySource does
// not know yet is asked for (kAsk). A session ends with the header's exp, some minutes ahead: the
// load balancer sends a new one with the next request of the same login.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "auth/alb_token.h"
#include "auth/authenticator.h"

namespace kg::auth {

// Where the keys of load balancers come from (domain A20). Owner: the authenticators that use it,
// shared. Thread: any.
class AlbKeySource {
 public:
  AlbKeySource() = default;
  AlbKeySource(const AlbKeySource&) = delete;
  AlbKeySource& operator=(const AlbKeySource&) = delete;
  virtual ~AlbKeySource() = default;

  enum class Known : uint8_t { kKey, kNone, kAsk };
  struct Found {
    Known known = Known::kAsk;  // kNone: who publishes them has lately said that there is no such
    std::shared_ptr<const KeySet> key;
  };
  // `kid` has the shape of a UUID.
  virtual Found find(const std::string& kid) const = 0;
  // Then `done`, on another thread. find() still says kAsk if nobody can be asked now.
  virtual void learn(const std::string& kid, std::function<void()> done) = 0;
  // Another one whenever a key was withdrawn.
  virtual uint64_t generation() const noexcept = 0;
};

class AlbAuthenticator final : public Authenticator {
 public:
  AlbAuthenticator(AlbRules rules, std::shared_ptr<AlbKeySource> keys);

  Proof proof() const noexcept override { return Proof::kLoadBalancer; }
  Verdict judge(const Evidence& evidence, int64_t now) const override;
  void ask(const Evidence& evidence, int64_t now, const Answer& answer) const override;
  uint64_t generation() const noexcept override { return keys_->generation(); }

 private:
  Verdict decide(std::string_view oidc_data, int64_t now, bool may_ask) const;

  AlbRules rules_;
  std::shared_ptr<AlbKeySource> keys_;
};

}  // namespace kg::auth
