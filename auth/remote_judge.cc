#include "auth/remote_judge.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "auth/verdict_cache.h"
#include "proxy/base/log.h"

namespace kg::auth {
namespace {

int64_t now_s() noexcept { return static_cast<int64_t>(event::wall_us() / 1'000'000); }

Verdict unknown(const char* detail) {
  return Verdict::refuses({ErrorCode::kSessionUnknown, detail, 0});
}

}  // namespace

struct RemoteJudge::State {
  using Key = VerdictCache::Key;
  State(fetch::Fetcher& network, std::unique_ptr<const Question> asked, RemoteTimes chosen)
      : fetcher(network), question(std::move(asked)), times(chosen) {}

  void ask(const std::shared_ptr<State>& self, Secret token, Authenticator::Answer answer);
  Verdict verdict_of(const fetch::Answer& answer, const Secret& token, int64_t now);
  void remember(const Key& key, Verdict& verdict, int64_t now);

  fetch::Fetcher& fetcher;
  const std::unique_ptr<const Question> question;
  const RemoteTimes times;
  // Of the network thread.
  VerdictCache cache;
  std::unordered_map<Key, std::vector<Authenticator::Answer>, VerdictCache::KeyHash> open;
  bool failing = false;
};

void RemoteJudge::State::ask(const std::shared_ptr<State>& self, Secret token,
                             Authenticator::Answer answer) {
  const Key key = cache.key_of(token.reveal());
  if (std::optional<Verdict> known = cache.find(key, now_s())) return answer(std::move(*known));
  const auto [waiting, is_new] = open.try_emplace(key);
  waiting->second.push_back(std::move(answer));
  if (!is_new) return;
  fetch::Request request = question->request(token);
  fetcher.fetch(std::move(request),
                [self, key, token = std::move(token)](const fetch::Answer& came) {
                  const int64_t now = now_s();
                  Verdict verdict = self->verdict_of(came, token, now);
                  self->remember(key, verdict, now);
                  const auto done = self->open.extract(key);
                  for (const Authenticator::Answer& tell : done.mapped()) tell(verdict);
                });
}

Verdict RemoteJudge::State::verdict_of(const fetch::Answer& answer, const Secret& token,
                                       int64_t now) {
  Verdict verdict = answer.came() ? question->read(answer, token, now)
                                  : unknown("the service that knows sessions cannot be asked");
  const bool is_unknown =
      verdict.kind == Verdict::Kind::kRefused && verdict.error.code == ErrorCode::kSessionUnknown;
  if (is_unknown && !failing) {
    log::warn("auth", "a service that knows sessions does not answer: {} status={} problem=\"{}\"",
              verdict.error.detail, answer.status, answer.problem);
  }
  failing = is_unknown;
  return verdict;
}

void RemoteJudge::State::remember(const Key& key, Verdict& verdict, int64_t now) {
  if (verdict.kind == Verdict::Kind::kPrincipal) {
    Principal& who = verdict.principal;
    who.believed_until = std::min(who.expires_at, now + times.believed_s);
    cache.remember(key, verdict, who.believed_until);
  } else if (verdict.error.code != ErrorCode::kSessionUnknown) {
    cache.remember(key, verdict, now + times.refused_s);
  }
}

RemoteJudge::RemoteJudge(fetch::Fetcher& fetcher, std::unique_ptr<const Question> question,
                         RemoteTimes times)
    : state_(std::make_shared<State>(fetcher, std::move(question), times)) {}

RemoteJudge::~RemoteJudge() = default;

void RemoteJudge::ask(std::string_view token, Authenticator::Answer answer) {
  state_->fetcher.loop().post([state = state_, token = Secret(std::string(token)),
                               answer = std::move(answer)] { state->ask(state, token, answer); });
}

Verdict RemoteAuthenticator::judge(const Evidence& evidence, int64_t /*now*/) const {
  const bool plain =
      std::ranges::all_of(evidence.token, [](char c) { return c > ' ' && c < 0x7f; });
  return plain ? Verdict::ask() : Verdict::not_mine("token holds bytes that no token has");
}

void RemoteAuthenticator::ask(const Evidence& evidence, int64_t /*now*/,
                              const Answer& answer) const {
  judge_->ask(evidence.token, answer);
}

}  // namespace kg::auth
