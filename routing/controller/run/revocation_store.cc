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

void enter(const routing::RevocationNotice& notice, std::vector<auth::Revocation>& entries) {
  const auth::Revocation& one = notice.revocation;
  if (!notice.revoked) {
    std::erase_if(entries, [&](const auto& entry) { return entry.same_target(one); });
  } else {
    std::erase_if(entries, [&](const auto& entry) {
      return entry.same_target(one) && entry.before == one.before && !outlasts(entry, one);
    });
    entries.push_back(one);
  }
}

// What a notice asks for is so.
bool is_in(const routing::RevocationNotice& notice, const std::vector<auth::Revocation>& entries) {
  const auth::Revocation& one = notice.revocation;
  return notice.revoked == std::ranges::any_of(entries, [&](const auto& entry) {
           if (!entry.same_target(one)) return false;
           const bool as_long = entry.until == one.until || outlasts(entry, one);
           return !notice.revoked || (entry.before == one.before && as_long);
         });
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

std::string lines_of(const std::vector<auth::Revocation>& entries) {
  std::string out;
  for (const auth::Revocation& entry : entries) out += entry.json() + "\n";
  return out;
}

}  // namespace

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
  std::string text;
  const auto data = object.find("data");
  if (data != object.end() && data->is_object() && data->contains(kKey) &&
      data->at(kKey).is_string()) {
    const auto decoded = Secret::from_base64(data->at(kKey).get_ref<const std::string&>());
    if (decoded) text = decoded->reveal();
  }
  auth::Revocations::Lines lines = auth::Revocations::read_lines(text);
  seen_ = version_ = kube::version_of(object);
  if (!lines.error.empty()) {
    // Believed still: a misspelt line must not let everybody in again. Who has not read it once
    // publishes nothing.
    log::error("revocations", "Secret {}/{}: {}; what was revoked before stays revoked", namespace_,
               kRevocationsSecret, lines.error);
    return true;
  }
  entries_ = std::move(lines.entries);
  readable_ = true;
  // On a standby too, where the leader wrote them. With a write of ours due or under way this may
  // be what was there before.
  if (call_ == nullptr && !(leads_ && unwritten_)) settle();
  count_waiting();
  if (synced_) changed();
  // Not at once: this may be what was there before our last write.
  if (!waiting_.empty()) retry_.arm_ms(kRevocationRetryMs);
  return true;
}

void RevocationStore::on_remove(const std::string&, const std::string&) {
  entries_.clear();
  version_.clear();
  seen_.clear();
  readable_ = true;
  count_waiting();
  if (synced_) changed();
  if (!waiting_.empty()) retry_.arm_ms(kRevocationRetryMs);
}

void RevocationStore::on_synced() {
  synced_ = true;
  if (version_.empty()) readable_ = true;  // there is none
  changed();
  write();
}

void RevocationStore::count_waiting() {
  current_ = entries_;
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
  size_t bytes = line_bytes(revocation);
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

void RevocationStore::hear(routing::RevocationNotice notice) {
  // What never ends would stay when every token that it concerns is long gone.
  int64_t& until = notice.revocation.until;
  if (until == 0 || !notice.revoked) until = now_seconds() + limits::kRevocationSeconds;
  if (until <= now_seconds()) return;
  forget_ended();
  if (is_in(notice, current_)) return;  // said again
  if (notice.revoked && !has_room(notice.revocation)) {
    log::error("revocations", "there is no room for what is revoked in scope \"{}\": left out",
               notice.revocation.scope);
    return;
  }
  if (waiting_.size() >= limits::kRevocationsMax) {
    log::error("revocations", "too many wait to be written; one is left out");
    return;
  }
  enter(notice, current_);
  // The later word on a thing is the one that counts: the other one would never be so again.
  std::erase_if(waiting_, [&](const routing::RevocationNotice& before) {
    return before.revocation.same_target(notice.revocation) && (!before.revoked || !notice.revoked);
  });
  waiting_.push_back(std::move(notice));
  unwritten_ = true;
  changed();
  write();
}

void RevocationStore::forget_ended() {
  const int64_t now = now_seconds();
  std::erase_if(current_,
                [now](const auto& entry) { return entry.until != 0 && entry.until <= now; });
  std::erase_if(waiting_, [now](const auto& notice) { return notice.revocation.until <= now; });
}

// What the Secret says waits no longer.
void RevocationStore::settle() {
  std::erase_if(waiting_, [this](const auto& notice) { return is_in(notice, entries_); });
}

void RevocationStore::try_again() {
  if (!unwritten_) {
    settle();
    unwritten_ = !waiting_.empty();
  }
  write();
}

void RevocationStore::set_leading(bool leads) {
  leads_ = leads;
  unwritten_ = !waiting_.empty();
  write();
}

std::string RevocationStore::path() const {
  return "/api/v1/namespaces/" + namespace_ + "/secrets";
}

void RevocationStore::write() {
  if (!leads_ || !unwritten_ || !synced() || call_ != nullptr) return;
  forget_ended();
  if (waiting_.empty()) return;
  const std::string lines = lines_of(entries(now_seconds()));
  if (lines.size() > kRevocationBytesMax) {
    log::error("revocations", "Secret {}/{} would be too large; what came last is in memory only",
               namespace_, kRevocationsSecret);
    return retry_.arm_ms(uint64_t{kRevocationRetryMs} * 60);
  }
  const bool is_new = version_.empty();
  nlohmann::json secret = {{"apiVersion", "v1"},
                           {"kind", "Secret"},
                           {"metadata", {{"name", kRevocationsSecret}, {"namespace", namespace_}}},
                           {"stringData", {{kKey, lines}}}};
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
    if (reply.status != kube::kConflict) {
      log::error("revocations", "Secret {}/{} is not written: {}", namespace_, kRevocationsSecret,
                 reply.problem);
    }
    unwritten_ = true;
    return retry_.arm_ms(kRevocationRetryMs);
  }
  // What came meanwhile goes on top of this one; the watch may bring it later.
  if (const std::optional<nlohmann::json> written = kube::parse_json(reply.body)) {
    if (const auto version = kube::version_of(*written); !version.empty()) version_ = version;
  }
  if (unwritten_) return write();
  if (seen_ == version_) settle();  // the watch was quicker
}

}  // namespace kg::controller
