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

// With a version it takes the place of that one, and of no other.
kube::CallRequest write_request(const ObjectName& secret, const KeyTexts& keys,
                                const std::string& version) {
  Json data = Json::object();
  for (const auto& [suffix, text] : keys)
    data[std::string(kEntry) + suffix] = ascii::base64_encode(text.reveal());
  Json body{{"apiVersion", "v1"},
            {"kind", "Secret"},
            {"metadata", {{"name", secret.name}, {"namespace", secret.space}}},
            {"type", kFleetSecretType},
            {"data", std::move(data)}};
  kube::CallRequest request;
  request.method = version.empty() ? fetch::Method::kPost : fetch::Method::kPut;
  request.target = collection_of(secret) + (version.empty() ? "" : "/" + secret.name);
  if (!version.empty()) body["metadata"]["resourceVersion"] = version;
  request.content_type = "application/json";
  request.body = Secret(body.dump());
  return request;
}

struct Read {
  KeyTexts keys;
  std::string version;
  std::string problem;
};

Read read_secret(const ObjectName& secret, const std::string& body) {
  Read out;
  const std::optional<Json> found = kube::parse_json(body);
  const Json& object = found ? *found : Json();
  out.version = kube::version_of(object);
  const Json& data = ingress::member(object, "data");
  if (data.is_object()) {
    for (const auto& [name, value] : data.items()) {
      auto text = Secret::from_base64(ingress::text(value));
      if (name.starts_with(kEntry) && text) {
        out.keys[name.substr(kEntry.size())] = std::move(*text);
      }
    }
  }
  if (out.version.empty() || !out.keys.contains("")) {
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
  const kube::Reply reply = ask(write_request(secret, made, ""));
  if (reply.status == kube::kConflict)
    return "Secret " + secret.text() + " is there, and not overwritten";
  return reply.ok() || (may_be_done(reply) && is_there(secret, made)) ? "" : said(secret, reply);
}

bool FleetSecrets::is_there(const ObjectName& secret, const KeyTexts& keys) {
  const kube::Reply found = ask(read_request(secret));
  if (!found.ok()) return false;
  return std::ranges::equal(read_secret(secret, found.body).keys, keys,
                            [](const auto& a, const auto& b) {
                              return a.first == b.first && a.second.reveal() == b.second.reveal();
                            });
}

std::string FleetSecrets::rotate(const ObjectName& secret, KeyKind kind, KeyTexts& made) {
  std::string problem;
  for (int tries = 0; tries < kRotateTriesMax; ++tries) {
    const kube::Reply found = ask(read_request(secret));
    if (!found.ok()) return said(secret, found);
    const Read before = read_secret(secret, found.body);
    if (!before.problem.empty()) return before.problem;
    auto keys = routing::rotated_keys(kind, before.keys, problem);
    if (!keys) {
      return "Secret " + secret.text() + ": " + problem + "; is it one of --kind " +
             std::string(routing::key_kind_name(kind)) + "?";
    }
    const kube::Reply written = ask(write_request(secret, *keys, before.version));
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
    const kube::Reply made = ask_patiently(write_request(secret, routing::new_keys(kind), ""));
    if (made.ok()) log::info("keys", "made Secret {}", secret.text());
    if (!made.ok() && made.status != kube::kConflict) return said(secret, made);
    found = ask_patiently(read_request(secret));  // what is there now counts, whoever made it
  }
  if (!found.ok()) return said(secret, found);
  Read read = read_secret(secret, found.body);
  texts = std::move(read.keys);
  return read.problem;
}

std::string FleetSecrets::ensure(const std::string& namespace_name,
                                 std::map<std::string, KeyTexts>& texts) {
  for (const FleetSecret& secret : kFleetSecrets) {
    std::string problem =
        ensure_one({namespace_name, secret.name}, secret.kind, texts[secret.name]);
    if (!problem.empty()) return problem;
  }
  return "";
}

}  // namespace kg::controller
