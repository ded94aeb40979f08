#include "auth/sources.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/base/limits.h"

namespace kg::auth {

Sources::Sources(fetch::Fetcher& fetcher)
    : fetcher_(fetcher), timer_(fetcher.loop(), [this] { tick(); }) {
  timer_.arm_ms(limits::kSourceTickMs);
}

std::shared_ptr<JwksSource> Sources::jwks(JwksOptions options) {
  return find(jwks_, std::move(options));
}

std::shared_ptr<AlbKeys> Sources::alb_keys(AlbKeysOptions options) {
  return find(alb_keys_, std::move(options));
}

std::shared_ptr<RemoteJudge> Sources::judge(const std::string& identity,
                                            std::unique_ptr<const Question> question,
                                            RemoteTimes times) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<RemoteJudge>& known = judges_[identity];
  if (std::shared_ptr<RemoteJudge> judge = known.lock()) return judge;
  auto made = std::make_shared<RemoteJudge>(fetcher_, std::move(question), times);
  known = made;
  return made;
}

template <class Source, class Options>
std::shared_ptr<Source> Sources::find(ByIdentity<Source>& sources, Options options) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Source>& known = sources[options.identity()];
  if (std::shared_ptr<Source> source = known.lock()) return source;
  auto source = std::make_shared<Source>(fetcher_, std::move(options));
  known = source;
  fetcher_.loop().post([known = std::weak_ptr<Source>(source)] {
    if (const std::shared_ptr<Source> here = known.lock()) here->tick();
  });
  return source;
}

template <class Source>
void Sources::tick_all(ByIdentity<Source>& sources) {
  std::vector<std::shared_ptr<Source>> alive;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(sources, [](const auto& entry) { return entry.second.expired(); });
    for (const auto& [identity, source] : sources) {
      if (auto here = source.lock()) alive.push_back(std::move(here));
    }
  }
  for (const std::shared_ptr<Source>& source : alive) source->tick();
}

void Sources::tick() {
  tick_all(jwks_);
  tick_all(alb_keys_);
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(judges_, [](const auto& entry) { return entry.second.expired(); });
  }
  timer_.arm_ms(limits::kSourceTickMs);
}

int64_t Sources::oldest_keys_s() const {
  const std::lock_guard lock(mutex_);
  int64_t oldest = 0;
  for (const auto& [identity, known] : jwks_) {
    const std::shared_ptr<JwksSource> source = known.lock();
    if (source == nullptr) continue;
    const int64_t age = source->age_s();
    if (age < 0) return -1;
    oldest = std::max(oldest, age);
  }
  return oldest;
}

}  // namespace kg::auth
