#include "routing/controller/run/revocation_store.h"

#include <algorithm>
#include <utility>

#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/base/secret.h"

namespace kg::controller {
namespace {

constexpr const char* kKey = "revocations";  // of the Secret's data: one entry a line
constexpr int kConflict = 409;

int64_t now_seconds() { return static_cast<int64_t>(event::wall_us() / 1'000'000); }

void enter(const routing::RevocationNotice& notice, std::vector<auth::Revocation>& entries) {
  const auth::Revocation& one = notice.revocation;
  if (!notice.revoked) {
    std::erase_if(entries, [&](const auto& entry) { return entry.same_target(one); });
  } else if (std::ranges::find(entries, one) == entries.end()) {
    entries.push_back(one);
  }
}

// What a notice asks for is so. Its end is each controller's own where its sender gave none.
bool is_in(const routing::RevocationNotice& notice, const std::vector<auth::Revocation>& entries) {
  const auth::Revocation& one = notice.revocation;
  return notice.revoked == std::ranges::any_of(entries, [&](const auto& entry) {
           return entry.same_target(one) && (!notice.revoked || entry.before == one.before);
         });
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
      retry_(loop, [this] { write(); }) {}

void RevocationStore::on_upsert(const nlohmann::json& object) {
  std::string text;
  const auto data = object.find("data");
  if (data != object.end() && data->is_object() && data->contains(kKey) &&
      data->at(kKey).is_string()) {
    const auto decoded = Secret::from_base64(data->at(kKey).get_ref<const std::string&>());
    if (decoded) text = decoded->reveal();
  }
  auth::Revocations::Lines lines = auth::Revocations::read_lines(text);
  version_ = object.at("metadata").value("resourceVersion", "");
  if (!lines.error.empty()) {
    // Believed still: a misspelt line must not let everybody in again. Who has not read it once
    // publishes nothing.
    log::error("revocations", "Secret {}/{}: {}; what was revoked before stays revoked", namespace_,
               kRevocationsSecret, lines.error);
    return;
  }
  entries_ = std::move(lines.entries);
  readable_ = true;
  // On a standby too, where the leader wrote them.
  std::erase_if(waiting_, [this](const auto& notice) { return is_in(notice, entries_); });
  if (synced_) on_change_();
  if (!waiting_.empty()) write();
}

void RevocationStore::on_remove(const std::string&, const std::string&) {
  entries_.clear();
  version_.clear();
  readable_ = true;
  if (synced_) on_change_();
}

void RevocationStore::on_synced() {
  synced_ = true;
  if (version_.empty()) readable_ = true;  // there is none
  on_change_();
  write();
}

std::vector<auth::Revocation> RevocationStore::entries(int64_t now) const {
  std::vector<auth::Revocation> out = entries_;
  for (const routing::RevocationNotice& notice : waiting_) enter(notice, out);
  std::erase_if(out, [now](const auto& entry) { return entry.until != 0 && entry.until <= now; });
  return out;
}

void RevocationStore::hear(const routing::RevocationNotice& notice) {
  if (waiting_.size() >= limits::kRevocationsMax) {
    log::error("revocations", "too many wait to be written; one is left out");
    return;
  }
  waiting_.push_back(notice);
  // What never ends would stay when every token that it concerns is long gone.
  int64_t& until = waiting_.back().revocation.until;
  if (until == 0) until = now_seconds() + limits::kRevocationSeconds;
  on_change_();
  write();
}

void RevocationStore::set_leading(bool leads) {
  leads_ = leads;
  write();
}

std::string RevocationStore::path() const {
  return "/api/v1/namespaces/" + namespace_ + "/secrets";
}

void RevocationStore::write() {
  if (!leads_ || !synced() || waiting_.empty() || call_ != nullptr) return;
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
  call_ = client_.send(std::move(request), [this](const kube::Reply& reply) { on_written(reply); });
}

void RevocationStore::on_written(const kube::Reply& reply) {
  loop_.defer_delete(std::move(call_));
  if (!reply.ok()) {
    if (reply.status != kConflict) {
      log::error("revocations", "Secret {}/{} is not written: {}", namespace_, kRevocationsSecret,
                 reply.problem);
    }
    return retry_.arm_ms(kRevocationRetryMs);
  }
  // As the server has it now; the watch may be later than this.
  const auto written = nlohmann::json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
  if (written.is_object() && written.contains("metadata") && written.at("metadata").is_object()) {
    on_upsert(written);
  }
}

}  // namespace kg::controller
