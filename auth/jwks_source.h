// JwksSource: an issuer's keys by URL (RFC 7517 section 5), kept fresh by the network thread.
//
// Owner:  the authenticators that use it, shared; Sources finds it again for a configuration that
//         names the same URL, CA and times, so that a reload loses no key.
// Thread: any, unless said otherwise. tick() and what it starts are of the network thread.
// Limits: one fetch at a time; kKeySetBytesMax, kKeysMax keys; KeySchedule says when. What waits
//         for a fetch is bounded by the exchanges that a proxy may have open.
// Errors: none reach a caller: there are keys or there are none. Each change for the worse is one
//         line in the log.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "auth/key_set.h"
#include "auth/key_source.h"
#include "proxy/fetch/fetcher.h"

namespace kg::auth {

struct JwksOptions {
  Url url;
  std::shared_ptr<const fetch::Trust> trust;
  uint32_t refresh_s = 0;  // 0: as Cache-Control says
  uint32_t stale_s = 0;    // how long the last good keys serve without a good answer

  std::string identity() const;  // equal for equal options
};

class JwksSource final : public KeySource {
 public:
  JwksSource(fetch::Fetcher& fetcher, JwksOptions options);
  ~JwksSource() override;

  // Null: none have come yet, or the last ones are too old.
  std::shared_ptr<const KeySet> keys() const override;
  // Another one whenever a key was withdrawn: what it had signed counts no more.
  uint64_t generation() const noexcept override;
  // Did the last fetch bring keys? If not, an unknown kid proves nothing.
  bool is_current() const noexcept override;
  // Would learn() bring newer keys? False while it has lately been asked for.
  bool may_learn() const noexcept override;
  // Fetches now if the rate allows it, or waits for the fetch that runs; then `done`, on the
  // network thread. For tokens whose key is unknown.
  void learn(const std::function<void()>& done) override;

  // Network thread, about once a second.
  void tick();
  // Seconds since the keys were fetched; -1 without keys.
  int64_t age_s() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;  // a fetch holds it too
};

}  // namespace kg::auth
