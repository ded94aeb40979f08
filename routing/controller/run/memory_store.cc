#include "routing/controller/run/memory_store.h"

#include <utility>

#include "proxy/base/log.h"
#include "proxy/base/secret.h"
#include "routing/controller/kube/object.h"

namespace kg::controller {
namespace {

constexpr const char* kMemoryEntry = "memory";  // of the Secret's data: an exception a line

std::string memory_of(const nlohmann::json& secret) {
  const std::string_view encoded = ingress::text(ingress::member(secret, "data"), kMemoryEntry);
  const auto decoded = Secret::from_base64(encoded);
  return decoded ? std::string(decoded->reveal()) : "not base64";
}

}  // namespace

MemoryStore::MemoryStore(event::EventLoop& loop, kube::Client& client, std::string namespace_name,
                         std::function<ingress::Recollection()> recollect,
                         std::function<void()> on_change)
    : loop_(loop),
      client_(client),
      namespace_(std::move(namespace_name)),
      recollect_(std::move(recollect)),
      on_change_(std::move(on_change)),
      reflector_(loop, client,
                 kube::Selection{{"", "v1", "secrets", "Secret"},
                                 namespace_,
                                 "",
                                 std::string("metadata.name=") + kMemorySecret},
                 *this),
      pace_(loop, [this] {
        pacing_ = false;
        if (std::exchange(look_waits_, false)) look();
      }) {}

bool MemoryStore::on_upsert(const nlohmann::json& object) {
  text_ = memory_of(object);
  version_ = kube::version_of(object);
  ingress::ReadRecollection read = ingress::read_recollection(*text_);
  if (read.recollection) {
    recollection_ = std::move(*read.recollection);
  } else {
    log::error("memory", "Secret {}/{} is not used, and is written anew: {}", namespace_,
               kMemorySecret, read.problem);
  }
  if (synced_) on_change_();
  return true;
}

void MemoryStore::on_remove(const std::string&, const std::string&) {
  text_.reset();
  version_.clear();
  if (synced_) on_change_();
}

void MemoryStore::on_synced() {
  synced_ = true;
  on_change_();
}

void MemoryStore::look() {
  if (!leads_ || !synced_) return;
  if (pacing_) {
    look_waits_ = true;
    return;
  }
  look_in(kMemoryPaceMs);
  write();
}

void MemoryStore::look_in(uint32_t ms) {
  pacing_ = true;
  pace_.arm_ms(ms);
}

void MemoryStore::write() {
  look_waits_ = look_waits_ || call_ != nullptr;
  if (call_ != nullptr) return;
  ingress::RecollectionText wanted = ingress::text_of(recollect_());
  if (std::exchange(left_out_, wanted.left_out) != wanted.left_out) {
    log::warn("memory",
              "Secret {}/{} has no room for {} of what is remembered: it is lost if all "
              "controllers end",
              namespace_, kMemorySecret, wanted.left_out);
  }
  if (text_ ? *text_ == wanted.text : wanted.text.empty()) return;
  sent_ = std::move(wanted.text);
  nlohmann::json secret = {{"apiVersion", "v1"},
                           {"kind", "Secret"},
                           {"type", kMemorySecretType},
                           {"metadata", {{"name", kMemorySecret}, {"namespace", namespace_}}},
                           {"stringData", {{kMemoryEntry, sent_}}}};
  // Taken only if nobody else wrote since.
  if (text_) secret["metadata"]["resourceVersion"] = version_;
  kube::CallRequest request;
  request.method = text_ ? fetch::Method::kPut : fetch::Method::kPost;
  request.target = "/api/v1/namespaces/" + namespace_ + "/secrets";
  if (text_) request.target += std::string("/") + kMemorySecret;
  request.content_type = "application/json";
  request.body = Secret(secret.dump());
  call_ = client_.send(std::move(request), [this](const kube::Reply& reply) { on_written(reply); });
}

void MemoryStore::on_written(const kube::Reply& reply) {
  loop_.defer_delete(std::move(call_));
  if (!reply.ok()) {
    // Of a conflict the watch brings what is there.
    const bool is_conflict = reply.status == kube::kConflict;
    if (!is_conflict) {
      log::error("memory", "Secret {}/{} is not written: {}", namespace_, kMemorySecret,
                 reply.problem);
    }
    look_waits_ = true;
    return look_in(is_conflict ? kMemoryPaceMs : kMemoryRetryMs);
  }
  if (const std::optional<nlohmann::json> written = kube::parse_json(reply.body)) {
    if (const auto version = kube::version_of(*written); !version.empty()) {
      version_ = version;
      text_ = sent_;
    }
  }
}

}  // namespace kg::controller
