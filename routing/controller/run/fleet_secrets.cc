#include "routing/controller/run/fleet_secrets.h"

#include <algorithm>
#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/base/log.h"
#include "proxy/event/watcher.h"
#include "routing/controller/kube/object.h"

namespace kg::controller {
namespace {

using Json = nlohmann::json;
using ingress::ObjectName;
using routing::KeyKind;
using routing::KeyTexts;

constexpr std::string_view kEntry = "key";  // and the suffix

std::string collection_of(const ObjectName& secret) {
  return "/api/v1/namespaces/" + secret.space + "/secrets";
}

kube::CallRequest read_request(const ObjectName& secret) {
  kube::CallRequest request;
  request.target = collection_of(secret) + "/" + secret.name;
  return request;
}

kube::CallRequest write_request(fetch::Method method, std::string target, Json object,
                                const KeyTexts& keys) {
  for (const auto& [suffix, text] : keys)
    object["data"][std::string(kEntry) + suffix] = ascii::base64_encode(text.reveal());
  kube::CallRequest request;
  request.method = method;
  request.target = std::move(target);
  request.content_type = "application/json";
  request.body = Secret(object.dump());
  return request;
}

kube::CallRequest make_request(const ObjectName& secret, const KeyTexts& keys) {
  return write_request(fetch::Method::kPost, collection_of(secret),
                       {{"apiVersion", "v1"},
                        {"kind", "Secret"},
                        {"metadata", {{"name", secret.name}, {"namespace", secret.space}}},
                        {"type", kFleetSecretType}},
                       keys);
}

// Labels, annotations and all that others made of it stay. Its resourceVersion is among them: the
// server takes it in the place of that one, and of no other.
kube::CallRequest replace_request(const ObjectName& secret, Json object, const KeyTexts& keys) {
  return write_request(fetch::Method::kPut, collection_of(secret) + "/" + secret.name,
                       std::move(object), keys);
}

struct Read {
  KeyTexts keys;
  Json object;
  std::string problem;
};

Read read_secret(const ObjectName& secret, const std::string& body) {
  Read out;
  if (std::optional<Json> found = kube::parse_json(body)) out.object = std::move(*found);
  const Json& data = ingress::member(out.object, "data");
  if (data.is_object()) {
    for (const auto& [name, value] : data.items()) {
      auto text = Secret::from_base64(ingress::text(value));
      if (name.starts_with(kEntry) && text) {
        out.keys[name.substr(kEntry.size())] = std::move(*text);
      }
    }
  }
  if (kube::version_of(out.object).empty() || !out.keys.contains("")) {
    out.problem = "Secret " + secret.text() + " has no entry \"" + std::string(kEntry) + "\"";
  }
  return out;
}

// No answer, or one of somebody in between, says nothing of what became of a write.
bool may_be_done(const kube::Reply& reply) noexcept {
  return reply.failure != fetch::Failure::kNone || reply.status >= 500;
}

std::string said(const ObjectName& secret, const kube::Reply& reply) {
  return "Secret " + secret.text() + ": " + reply.problem;
}

}  // namespace

kube::Reply FleetSecrets::ask(kube::CallRequest request) {
  kube::Reply out;
  const auto call = client_.send(std::move(request), [&](const kube::Reply& reply) {
    out = reply;
    loop_.stop();
  });
  loop_.run();
  return out;
}

kube::Reply FleetSecrets::ask_patiently(const kube::CallRequest& request) {
  for (;;) {
    kube::Reply reply = ask(request);
    if (reply.status != 0 && reply.status != 429 && reply.status < 500) return reply;
    log::warn("keys", "{}: it is tried again", reply.problem);
    event::Timer again(loop_, [this] { loop_.stop(); });
    again.arm_ms(std::max(kFleetSecretRetryMs, reply.retry_after_ms));
    loop_.run();
  }
}

std::string FleetSecrets::make(const ObjectName& secret, KeyKind kind, KeyTexts& made) {
  made = routing::new_keys(kind);
  const kube::Reply reply = ask(make_request(secret, made));
  if (reply.status == kube::kConflict)
    return "Secret " + secret.text() + " is there, and not overwritten";
  return reply.ok() || (may_be_done(reply) && is_there(secret, made)) ? "" : said(secret, reply);
}

bool FleetSecrets::is_there(const ObjectName& secret, const KeyTexts& keys) {
  const kube::Reply found = ask(read_request(secret));
  if (!found.ok()) return false;
  const KeyTexts there = read_secret(secret, found.body).keys;
  return std::ranges::all_of(keys, [&](const auto& key) {
    const auto same = there.find(key.first);
    return same != there.end() && same->second.reveal() == key.second.reveal();
  });
}

std::string FleetSecrets::rotate(const ObjectName& secret, KeyKind kind, KeyTexts& made) {
  std::string problem;
  for (int tries = 0; tries < kRotateTriesMax; ++tries) {
    const kube::Reply found = ask(read_request(secret));
    if (!found.ok()) return said(secret, found);
    Read before = read_secret(secret, found.body);
    if (!before.problem.empty()) return before.problem;
    auto keys = routing::rotated_keys(kind, before.keys, problem);
    if (!keys) {
      return "Secret " + secret.text() + ": " + problem + "; is it one of --kind " +
             std::string(routing::key_kind_name(kind)) + "?";
    }
    const kube::Reply written = ask(replace_request(secret, std::move(before.object), *keys));
    made = std::move(*keys);
    // Who believed it lost would rotate twice, and put to use what nobody knows yet.
    if (written.ok() || (may_be_done(written) && is_there(secret, made))) return "";
    problem = said(secret, written);
    if (written.status != kube::kConflict) break;
  }
  return problem;
}

std::string FleetSecrets::ensure_one(const ObjectName& secret, KeyKind kind, KeyTexts& texts) {
  kube::Reply found = ask_patiently(read_request(secret));
  if (found.status == kube::kNotFound) {
    const kube::Reply made = ask_patiently(make_request(secret, routing::new_keys(kind)));
    if (made.ok()) log::info("keys", "made Secret {}", secret.text());
    if (!made.ok() && made.status != kube::kConflict) return said(secret, made);
    found = ask_patiently(read_request(secret));  // what is there now counts, whoever made it
  }
  if (!found.ok()) return said(secret, found);
  Read read = read_secret(secret, found.body);
  texts = std::move(read.keys);
  return read.problem;
}

std::string FleetSecrets::ensure(const std::string& namespace_name, bool with_feed,
                                 std::map<std::string, KeyTexts>& texts) {
  for (const FleetSecret& secret : kFleetSecrets) {
    const bool is_feed = secret.kind == KeyKind::kFeed;
    if (is_feed && !with_feed) continue;
    std::string problem =
        ensure_one({namespace_name, secret.name}, secret.kind, texts[secret.name]);
    if (problem.empty()) continue;
    if (is_feed) return problem;
    log::error("keys", "{}: proxies that mount it want it, controllers run without", problem);
  }
  return "";
}

}  // namespace kg::controller
