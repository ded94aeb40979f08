// Sources: what authenticators know from the network, found again by its configuration, so that a
// reload that changes nothing about an issuer forgets nothing of it either.
//
// Owner:  the server; made before and destroyed after the Fetcher's thread runs. It holds no source
//         alive: authenticators do, so a source ends with the last configuration that names it.
// Thread: any. The ticks of sources are of the network thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "auth/alb_keys.h"
#include "auth/identity.h"
#include "auth/jwks_source.h"
#include "auth/remote_judge.h"
#include "proxy/event/watcher.h"
#include "proxy/fetch/fetcher.h"

namespace kg::auth {

class Sources {
 public:
  explicit Sources(fetch::Fetcher& fetcher);
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  // The one of before for equal options, else a new one that fetches soon.
  std::shared_ptr<JwksSource> jwks(JwksOptions options);
  std::shared_ptr<AlbKeys> alb_keys(AlbKeysOptions options);
  // Introspection or Delegated with their options, and how long an answer is believed.
  template <class Asked, class Options>
  std::shared_ptr<RemoteJudge> judge(Options options, RemoteTimes times) {
    Identity all("judge");
    all.add(options.identity()).add(times.believed_s).add(times.refused_s);
    return judge(all.digest(), std::make_unique<const Asked>(std::move(options)), times);
  }

  // Of the issuers' keys in use, the oldest in seconds; -1 if one has none, 0 without issuers.
  int64_t oldest_keys_s() const;

 private:
  template <class Source>
  using ByIdentity = std::map<std::string, std::weak_ptr<Source>>;
  std::shared_ptr<RemoteJudge> judge(const std::string& identity,
                                     std::unique_ptr<const Question> question, RemoteTimes times);
  template <class Source, class Options>
  std::shared_ptr<Source> find(ByIdentity<Source>& sources, Options options);
  template <class Source>
  void tick_all(ByIdentity<Source>& sources);
  void tick();

  fetch::Fetcher& fetcher_;
  event::Timer timer_;
  mutable std::mutex mutex_;  // at reloads, scrapes and ticks
  ByIdentity<JwksSource> jwks_;
  ByIdentity<AlbKeys> alb_keys_;
  ByIdentity<RemoteJudge> judges_;
};

}  // namespace kg::auth
