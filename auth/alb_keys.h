// AlbKeys: the public keys of AWS load balancers, one PEM for each kid, fetched when a token first
// names it (domain A20) and kept.
//
// Owner:  the authenticators of one region, shared; Sources finds it again after a reload.
// Thread: any, unless said otherwise. Limits: kAlbKeysMax keys and kAlbUnknownMax kids that have
//         none, oldest out first; kAlbFetchesMax fetches at a time, one for each kid. A kid has the
//         shape of a UUID, so that nobody's token chooses what is fetched from where.
// Keys:   fetched anew after kAlbKeyFreshS while the known one serves, given up after twice that,
//         or at once when the service knows it no more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "auth/alb_authenticator.h"
#include "proxy/fetch/fetcher.h"

namespace kg::auth {

struct AlbKeysOptions {
  Url base;  // https://public-keys.auth.elb.REGION.amazonaws.com; "/" and the kid follow its path
  std::shared_ptr<const fetch::Trust> trust;

  std::string identity() const;  // equal for equal options
};

class AlbKeys final : public AlbKeySource {
 public:
  AlbKeys(fetch::Fetcher& fetcher, AlbKeysOptions options);
  ~AlbKeys() override;

  Found find(const std::string& kid) const override;
  // Asks the service, or waits for who asks already; then `done`, on the network thread.
  void learn(const std::string& kid, std::function<void()> done) override;
  uint64_t generation() const noexcept override;

  void tick();  // network thread, about once a second

 private:
  struct State;
  std::shared_ptr<State> state_;  // a fetch holds it too
};

}  // namespace kg::auth
