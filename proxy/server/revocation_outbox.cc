#include "proxy/server/revocation_outbox.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "proxy/base/limits.h"

namespace kg::server {

Told RevocationOutbox::put(Replicas& replicas, bool revoked, const auth::Revocation& revocation,
                           std::vector<std::string> scopes, uint64_t now_us) {
  Letter letter;
  letter.revoked = revoked;
  letter.revocation = revocation.marked();
  letter.scopes = std::move(scopes);
  letter.put_us = now_us;
  // The later word counts, also against what is still to be said again.
  std::erase_if(letters_, [&](const Letter& old) {
    const auth::Revocation& other = old.revocation;
    return other.mark == revocation.mark &&
           (!revoked || !old.revoked || other.before == revocation.before) &&
           (other.scope == revocation.scope || (!revoked && revocation.scope.empty()));
  });
  Told told;
  if (send(replicas, letter, now_us)) {
    const bool all = std::ranges::find(letter.scopes, "") != letter.scopes.end();
    told.how = all ? Told::How::kAll : Told::How::kScope;
    if (!all) told.scopes = letter.scopes;
  }
  if (letters_.size() < limits::kRevocationsMax) letters_.push_back(std::move(letter));
  return told;
}

bool RevocationOutbox::send(Replicas& replicas, Letter& letter, uint64_t now_us) {
  if (letter.scopes.empty()) letter.scopes = replicas.scopes_for(letter.revocation.scope);
  bool heard = false;
  for (const std::string& scope : letter.scopes) {
    routing::RevocationNotice notice{letter.revoked, letter.revocation};
    notice.revocation.scope = scope;
    heard = replicas.tell(notice) || heard;
  }
  letter.again_us = heard ? now_us + letter.pause_us : now_us;
  if (heard) letter.pause_us = std::min(2 * letter.pause_us, kRetellUsMax);
  return heard;
}

std::vector<auth::Revocation> RevocationOutbox::on_announced(
    const Replicas& replicas, const std::vector<auth::Revocation>& lists, uint64_t term) {
  std::vector<auth::Revocation> taken_back;
  if (letters_.empty()) return taken_back;
  std::set<std::tuple<auth::Mark, std::string, int64_t>> shown;
  std::set<std::pair<auth::Mark, std::string>> targets;
  for (const auth::Revocation& entry : lists) {
    shown.emplace(entry.mark, entry.scope, entry.before);
    targets.emplace(entry.mark, entry.scope);
  }
  std::erase_if(letters_, [&](Letter& letter) {
    const auth::Revocation& one = letter.revocation;
    const auto is_shown = [&](const std::string& scope) {
      return letter.revoked ? shown.contains({one.mark, scope, one.before})
                            : !targets.contains({one.mark, scope});
    };
    const bool all = !letter.scopes.empty() && std::ranges::all_of(letter.scopes, is_shown);
    if (!letter.revoked) return all;  // that is done
    const bool ours = std::ranges::all_of(
        letter.scopes, [&](const std::string& scope) { return replicas.may_say(scope); });
    if (letter.shown && !all && ours && letter.term == term) {
      taken_back.push_back(one);
      return true;
    }
    if (letter.shown && !all) letter.pause_us = kRetellUs;
    if (letter.shown && !all) letter.again_us = 0;
    if (!ours && !all) letter.scopes.clear();  // found anew
    letter.shown = all;
    letter.term = term;
    return false;
  });
  return taken_back;
}

void RevocationOutbox::retell(Replicas& replicas, uint64_t now_us, int64_t now) {
  std::erase_if(letters_, [&](const Letter& letter) {
    if (!letter.revoked) return now_us >= letter.put_us + kTakeBackUs;
    return letter.revocation.until != 0 && letter.revocation.until <= now;
  });
  for (Letter& letter : letters_) {
    if (!letter.shown && letter.again_us <= now_us) send(replicas, letter, now_us);
  }
}

}  // namespace kg::server
