#include "routing/controller/run/revocation_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/base/secret.h"
#include "routing/controller/kube/object.h"

namespace kg::controller {
namespace {

constexpr const char* kKey = "revocations";  // of the Secret's data: one entry a line

int64_t now_seconds() { return static_cast<int64_t>(event::wall_us() / 1'000'000); }

bool outlasts(const auth::Revocation& a, const auth::Revocation& b) noexcept {
  return b.until != 0 && (a.until == 0 || a.until > b.until);
}

void enter(const auth::Revocation& one, std::vector<auth::Revocation>& entries) {
  std::erase_if(entries, [&](const auto& entry) {
    return entry.same_target(one) && entry.before == one.before && !outlasts(entry, one);
  });
  entries.push_back(one);
}

void enter(const routing::RevocationNotice& notice, std::vector<auth::Revocation>& entries) {
  const auth::Revocation& one = notice.revocation;
  if (notice.revoked) return enter(one, entries);
  std::erase_if(entries, [&](const auto& entry) { return entry.same_target(one); });
}

// As it is, or for longer.
bool is_in(const auth::Revocation& one, const std::vector<auth::Revocation>& entries) {
  return std::ranges::any_of(entries, [&](const auto& entry) {
    return entry.same_target(one) && entry.before == one.before &&
           (entry.until == one.until || outlasts(entry, one));
  });
}

// What a notice asks for is so.
bool is_in(const routing::RevocationNotice& notice, const std::vector<auth::Revocation>& entries) {
  const auth::Revocation& one = notice.revocation;
  if (notice.revoked) return is_in(one, entries);
  return std::ranges::none_of(entries, [&](const auto& entry) { return entry.same_target(one); });
}

bool in_namespace(std::string_view scope, std::string_view name) noexcept {
  return scope.starts_with(name) && (scope.size() == name.size() || scope[name.size()] == '/');
}

// At most, in the Secret: what stands around the names and the times of an entry takes 76 bytes, a
// scope 12.
size_t line_bytes(const auth::Revocation& entry) noexcept {
  const size_t target = entry.name.empty() ? 2 * entry.mark.size()
                                           : 2 * (entry.name.size() + entry.realm.size()) + 12;
  return target + 76 + (entry.scope.empty() ? 0 : entry.scope.size() + 12);
}

// The text that is kept there.
RevocationText read_secret(const nlohmann::json& secret) {
  const auto data = secret.find("data");
  if (data == secret.end() || !data->is_object() || !data->contains(kKey)) return {};
  const nlohmann::json& value = data->at(kKey);
  const auto text = value.is_string() ? Secret::from_base64(value.get_ref<const std::string&>())
                                      : std::optional<Secret>();
  return text ? RevocationText::read(text->reveal()) : RevocationText{{}, {}, "data is no base64"};
}

}  // namespace

bool RevocationStore::Seldom::now() noexcept {
  const uint64_t now_us = event::monotonic_us();
  if (now_us < again_us_) return false;
  again_us_ = now_us + uint64_t{kRevocationLogMs} * 1'000;
  return true;
}

RevocationStore::RevocationStore(event::EventLoop& loop, kube::Client& client,
                                 std::string namespace_name, std::function<void()> on_change)
    : loop_(loop),
      client_(client),
      namespace_(std::move(namespace_name)),
      on_change_(std::move(on_change)),
      reflector_(loop, client,
                 kube::Selection{{"", "v1", "secrets", "Secret"},
                                 namespace_,
                                 "",
                                 std::string("metadata.name=") + kRevocationsSecret},
                 *this),
      retry_(loop, [this] { try_again(); }),
      pause_(loop, [this] { write(); }),
      pace_(loop, [this] {
        pacing_ = false;
        if (std::exchange(change_waits_, false)) changed();
      }) {}

void RevocationStore::changed() {
  change_waits_ = pacing_;
  if (pacing_) return;
  pacing_ = true;
  pace_.arm_ms(kRevocationPublishMs);
  on_change_();
}

bool RevocationStore::on_upsert(const nlohmann::json& object) {
  RevocationText text = read_secret(object);
  seen_ = version_ = kube::version_of(object);
  broken_ = text.error;
  if (broken_.empty()) {
    take(std::move(text));
  } else {
    say_broken();
  }
  return true;
}

// Believed still: a misspelt line must not let everybody in again.
void RevocationStore::say_broken() {
  retry_.arm_ms(kRevocationLogMs + kRevocationRetryMs);
  if (!say_broken_.now()) return;
  log::error("revocations",
             "Secret {}/{} cannot be read: {}; what was revoked before stays revoked, and what "
             "comes is in memory only{}. Mend the line; or delete the Secret, and it is written "
             "anew with what running controllers have read",
             namespace_, kRevocationsSecret, broken_,
             readable_ ? "" : "; nothing is published by who never read it");
}

void RevocationStore::take(RevocationText text) {
  const bool follows = text.stamp.follows(stamp_);
  if (!follows) keep_missing(text.entries);
  std::erase_if(missing_, [&](const auto& entry) { return is_in(entry, text.entries); });
  look_at_stamp(text, follows);
  stamp_ = std::move(text.stamp);
  entries_ = std::move(text.entries);
  // On a standby too, where the leader wrote them. With a write of ours due or under way this may
  // be what was there before.
  if (call_ == nullptr && !(leads_ && unwritten_)) settle();
  after_news();
}

void RevocationStore::on_remove(const std::string&, const std::string&) {
  keep_missing({});
  entries_.clear();
  stamp_ = newest_ = {};
  unstamped_ = false;
  version_.clear();
  seen_.clear();
  broken_.clear();
  after_news();
}

void RevocationStore::keep_missing(const std::vector<auth::Revocation>& left) {
  const int64_t now = now_seconds();
  if (missing_.empty()) missing_since_us_ = event::monotonic_us();
  size_t count = 0;
  for (const auth::Revocation& entry : entries_) {
    const bool ended = entry.until != 0 && entry.until <= now;
    if (ended || is_in(entry, left) || missing_.size() >= limits::kRevocationsMax) continue;
    enter(entry, missing_);
    ++count;
  }
  if (count == 0 || !say_missing_.now()) return;
  log::warn("revocations",
            "Secret {}/{} has lost entries that nobody took back; they count on, and are written "
            "again count={}",
            namespace_, kRevocationsSecret, count);
}

// What was edited by hand gets a stamp of its own: else the text of before would follow it.
void RevocationStore::look_at_stamp(const RevocationText& text, bool follows) {
  if (text.stamp.lineage.empty()) {
    unstamped_ = true;
    return;
  }
  if (!follows || text.stamp.serial != stamp_.serial) {
    unstamped_ = false;
  } else if (text.entries != entries_) {
    unstamped_ = true;
    log::info("revocations", "Secret {}/{} was edited by hand entries={} before={}", namespace_,
              kRevocationsSecret, text.entries.size(), entries_.size());
  }
  if (!newest_.follows(text.stamp)) newest_ = text.stamp;
}

void RevocationStore::after_news() {
  readable_ = true;
  count_all();
  if (synced_) changed();
  unwritten_ = unwritten_ || !missing_.empty() || unstamped_;
  write();
  // Not at once: this may be what was there before our last write.
  if (!waiting_.empty()) retry_.arm_ms(kRevocationRetryMs);
}

void RevocationStore::on_synced() {
  synced_ = true;
  if (version_.empty()) readable_ = true;  // there is none
  changed();
  write();
}

void RevocationStore::count_all() {
  current_ = entries_;
  for (const auth::Revocation& entry : missing_) enter(entry, current_);
  for (const routing::RevocationNotice& notice : waiting_) enter(notice, current_);
}

std::vector<auth::Revocation> RevocationStore::entries(int64_t now) const {
  std::vector<auth::Revocation> out = current_;
  std::erase_if(out, [now](const auto& entry) { return entry.until != 0 && entry.until <= now; });
  return out;
}

// Whoever may speak for a namespace only must not crowd out others.
bool RevocationStore::has_room(const auth::Revocation& revocation) const {
  const std::string name = routing::feed_scope(revocation.scope).scope_namespace;
  size_t count = 0;  // of the same namespace
  size_t bytes = kStampBytesMax + line_bytes(revocation);
  size_t scoped_bytes = bytes;
  for (const auth::Revocation& entry : current_) {
    bytes += line_bytes(entry);
    if (entry.scope.empty()) continue;
    scoped_bytes += line_bytes(entry);
    if (in_namespace(entry.scope, name)) ++count;
  }
  if (bytes > kRevocationBytesMax) return false;
  return revocation.scope.empty() ||
         (count < auth::kRevocationsPerNamespaceMax && scoped_bytes <= kScopedBytesMax);
}

// By whoever may speak for a namespace: each notice may be a write, and news for every proxy.
bool RevocationStore::paces(const std::string& scope) {
  if (scope.empty()) return true;
  if (gates_.size() >= kNoticeGatesMax) gates_.clear();
  const auto gate = gates_.try_emplace(routing::feed_scope(scope).scope_namespace,
                                       kScopedNoticesPerSecond, kScopedNoticesAtOnce);
  return gate.first->second.pass(loop_.now_us());
}

bool RevocationStore::takes(const routing::RevocationNotice& notice) {
  const char* problem = nullptr;
  if (!paces(notice.revocation.scope)) {
    problem = "there is more than may be revoked and taken back in a second";
  } else if (notice.revoked && !has_room(notice.revocation)) {
    problem = "there is no room for what is revoked";
  } else if (waiting_.size() >= limits::kRevocationsMax) {
    problem = "too many wait to be written";
  }
  if (problem == nullptr) return true;
  if (say_refused_.now()) {
    log::error("revocations",
               "scope \"{}\": {}; it is left out of the Secret and of lists until it is said again",
               notice.revocation.scope, problem);
  }
  return false;
}

void RevocationStore::hear(routing::RevocationNotice notice) {
  // What never ends would stay when every token that it concerns is long gone.
  int64_t& until = notice.revocation.until;
  if (until == 0 || !notice.revoked) until = now_seconds() + limits::kRevocationSeconds;
  if (until <= now_seconds()) return;
  forget_ended();
  if (is_in(notice, current_)) return;  // said again
  if (!takes(notice)) return;
  enter(notice, current_);
  // The later word on a thing is the one that counts: the other one would never be so again.
  const auto is_contrary = [&](const auth::Revocation& entry) {
    return !notice.revoked && entry.same_target(notice.revocation);
  };
  std::erase_if(missing_, is_contrary);
  std::erase_if(waiting_, [&](const routing::RevocationNotice& before) {
    return is_contrary(before.revocation) ||
           (!before.revoked && before.revocation.same_target(notice.revocation));
  });
  waiting_.push_back(std::move(notice));
  unwritten_ = true;
  changed();
  write();
}

void RevocationStore::forget_ended() {
  const int64_t now = now_seconds();
  const auto ended = [now](const auto& entry) { return entry.until != 0 && entry.until <= now; };
  std::erase_if(current_, ended);
  std::erase_if(missing_, ended);
  std::erase_if(waiting_, [now](const auto& notice) { return notice.revocation.until <= now; });
}

// What the Secret says waits no longer.
void RevocationStore::settle() {
  std::erase_if(waiting_, [this](const auto& notice) { return is_in(notice, entries_); });
}

void RevocationStore::try_again() {
  if (!broken_.empty()) return say_broken();
  if (!unwritten_) {
    settle();
    unwritten_ = is_due();
  }
  write();
}

void RevocationStore::set_leading(bool leads) {
  leads_ = leads;
  unwritten_ = is_due();
  write();
}

std::string RevocationStore::path() const {
  return "/api/v1/namespaces/" + namespace_ + "/secrets";
}

void RevocationStore::pause_ms(uint32_t milliseconds) {
  write_again_us_ = event::monotonic_us() + uint64_t{milliseconds} * 1'000;
}

uint64_t RevocationStore::write_at_us() const noexcept {
  if (leads_) return write_again_us_;
  return std::max(write_again_us_, missing_since_us_ + uint64_t{kStandbyWaitsMs} * 1'000);
}

void RevocationStore::write() {
  if (!unwritten_ || !synced() || !broken_.empty() || call_ != nullptr) return;
  if (!leads_ && missing_.empty()) return;
  const uint64_t now_us = event::monotonic_us();
  const uint64_t at_us = write_at_us();
  if (now_us < at_us) return pause_.arm_ms((at_us - now_us + 999) / 1'000);
  forget_ended();
  unwritten_ = is_due();
  if (!unwritten_) return;
  // A line that somebody else takes out again and again is no reason to hurry.
  pause_ms(missing_.empty() && !unstamped_ ? kRevocationWriteMs : kRevocationRetryMs);
  const RevocationStamp stamp = newest_.next();
  std::string text = RevocationText::write(stamp, entries(now_seconds()));
  if (text.size() > kRevocationBytesMax) {
    log::error("revocations", "Secret {}/{} would be too large; what came last is in memory only",
               namespace_, kRevocationsSecret);
    pause_ms(kRevocationRetryMs * 60);
    return pause_.arm_ms(uint64_t{kRevocationRetryMs} * 60);
  }
  newest_ = stamp;
  send(std::move(text));
}

void RevocationStore::send(std::string text) {
  const bool is_new = version_.empty();
  nlohmann::json secret = {{"apiVersion", "v1"},
                           {"kind", "Secret"},
                           {"metadata", {{"name", kRevocationsSecret}, {"namespace", namespace_}}},
                           {"stringData", {{kKey, std::move(text)}}}};
  // Taken only if nobody else wrote since.
  if (!is_new) secret["metadata"]["resourceVersion"] = version_;
  kube::CallRequest request;
  request.method = is_new ? fetch::Method::kPost : fetch::Method::kPut;
  request.target = is_new ? path() : path() + "/" + kRevocationsSecret;
  request.content_type = "application/json";
  request.body = Secret(secret.dump());
  unwritten_ = false;
  call_ = client_.send(std::move(request), [this](const kube::Reply& reply) { on_written(reply); });
}

void RevocationStore::on_written(const kube::Reply& reply) {
  loop_.defer_delete(std::move(call_));
  if (!reply.ok()) {
    unwritten_ = true;
    const bool is_gone = reply.status == kube::kNotFound && !version_.empty();
    if (is_gone) version_.clear();
    // The watch brings what is there instead.
    if (is_gone || reply.status == kube::kConflict) return write();
    if (say_unwritten_.now()) {
      log::error("revocations", "Secret {}/{} is not written: {}", namespace_, kRevocationsSecret,
                 reply.problem);
    }
    pause_ms(kRevocationRetryMs);
    return write();
  }
  // What came meanwhile goes on top of this one; the watch may bring it later.
  if (const std::optional<nlohmann::json> written = kube::parse_json(reply.body)) {
    if (const auto version = kube::version_of(*written); !version.empty()) version_ = version;
  }
  if (unwritten_) return write();
  if (seen_ == version_) settle();  // the watch was quicker
}

}  // namespace kg::controller
