#include "auth/sessions.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>

#include "proxy/base/assert.h"

namespace kg::auth {
namespace {

std::atomic<uint64_t> last_id{0};

}  // namespace

bool Evidence::has(Proof proof) const noexcept {
  switch (proof) {
    case Proof::kToken:
      return !token.empty();
    case Proof::kLoadBalancer:
      return !oidc_data.empty();
    case Proof::kCertificate:
      return certificate != nullptr;
  }
  return false;
}

void Authenticator::ask(const Evidence& /*evidence*/, int64_t /*now*/,
                        const Answer& /*answer*/) const {
  KG_ASSERT(false);  // never said kAsk
}

Sessions::Sessions(Chain chain, Policy policy)
    : chain_(std::move(chain)), policy_(std::move(policy)), id_(++last_id) {
  for (const auto& link : chain_) {
    if (std::find(proofs_.begin(), proofs_.end(), link->proof()) == proofs_.end()) {
      proofs_.push_back(link->proof());
    }
  }
}

uint64_t Sessions::generation() const noexcept {
  return std::accumulate(chain_.begin(), chain_.end(), uint64_t{0},
                         [](uint64_t sum, const auto& link) { return sum + link->generation(); });
}

Sessions::Judged Sessions::judge(Proof proof, const Evidence& evidence, int64_t now) const {
  Judged last;
  for (const auto& link : chain_) {
    if (link->proof() != proof) continue;
    last.generation = link->generation();
    last.verdict = link->judge(evidence, now);
    if (last.verdict.kind == Verdict::Kind::kNotMine) continue;
    last.link = link.get();
    return last;
  }
  return last;
}

}  // namespace kg::auth
