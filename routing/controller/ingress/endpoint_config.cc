#include "routing/controller/ingress/endpoint_config.h"

#include <algorithm>
#include <utility>

#include "auth/key_set.h"
#include "config/endpoint_loader.h"
#include "proxy/base/ascii.h"
#include "routing/controller/ingress/annotations.h"
#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/policy.h"
#include "routing/controller/ingress/values.h"

namespace kg::ingress {
namespace {

Json& at_path(Json& root, std::string_view path) {
  Json* node = &root;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    node = &(*node)[std::string(path.substr(0, dot))];
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return *node;
}

bool has_path(const Json& root, std::string_view path) {
  const Json* node = &root;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    node = &member(*node, path.substr(0, dot));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return !node->is_null();
}

class Builder {
 public:
  Builder(const Metadata& ingress, const Parameters& parameters, const Secrets& secrets,
          Findings& findings)
      : ingress_(ingress),
        parameters_(parameters),
        values_(ingress, parameters),
        secrets_(secrets),
        findings_(findings) {}

  std::optional<EndpointConfig> run() {
    refuse_locked();
    for (const AnnotationInfo& info : annotations()) read(info);
    read_gateway_tls();
    read_delegated();
    refuse_source_ranges();
    check_policy(values_, parameters_, out_.keys, findings_);
    check_sessions();
    if (failed_ || findings_.has_errors()) return std::nullopt;
    return std::move(out_);
  }

 private:
  void fail(const char* reason, const std::string& subject, const std::string& problem) {
    failed_ = true;
    findings_.error(reason, subject + ": " + problem);
  }

  void refuse_locked() {
    for (const std::string& name : parameters_.locked) {
      if (values_.has_own(name))
        fail("LockedAnnotation", values_.subject(name), "the class does not allow it: remove it");
    }
  }

  void read(const AnnotationInfo& info) {
    if (info.kind == ValueKind::kOther) return;
    const auto value = values_.find(info.name);
    if (info.kind == ValueKind::kSecret) return read_secret(info, value);
    if (!value) return;
    if (info.kind == ValueKind::kText) {
      at_path(out_.keys, info.path) = ascii::trim(value->text);
      return;
    }
    Json entries = Json::array();
    ascii::for_each_element(value->text, [&](std::string_view entry) { entries.push_back(entry); });
    if (entries.size() > kListEntriesMax)
      return fail("InvalidAnnotation", value->subject, "too long");
    at_path(out_.keys, info.path) = std::move(entries);
  }

  void read_secret(const AnnotationInfo& info, const std::optional<Value>& value) {
    const std::string name(info.name);
    if (value) {
      const SecretName wanted = split_secret(value->text, info.secret_key);
      const Secret* secret = find(wanted, value->subject);
      if (secret == nullptr) return;
      put(name, info.path, *secret);
      if (secrets_.find(wanted.name) != nullptr) judge(name, *secret);
    } else if (auto text = values_.inline_text(info.name)) {
      const Secret inlined(std::move(*text));
      put(name, info.path, inlined);
      judge(name, inlined);
    }
  }

  void put(const std::string& name, std::string_view path, const Secret& text) {
    at_path(out_.keys, path) = std::string(config::kTextPrefix) + name;
    out_.texts[name] = text.reveal();
  }

  // What the proxy would refuse, while its owner can still hear of it.
  void judge(const std::string& name, const Secret& text) {
    if (name == "session-keys-secret") {
      const auth::KeySet::Loaded loaded = auth::KeySet::from_text(text.reveal());
      if (loaded.keys == nullptr) fail("InvalidKeys", values_.subject(name), loaded.error);
    } else if (name == "gateway-token-secret") {
      std::string_view token = text.reveal();
      while (token.ends_with('\n') || token.ends_with('\r')) token.remove_suffix(1);
      const bool printable =
          !token.empty() && std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
      if (!printable)
        fail("InvalidToken", values_.subject(name),
             "the Secret does not hold one printable token: write the gateway's EG_AUTH_TOKEN");
    }
  }

  const Secret* find(const SecretName& wanted, const std::string& subject) {
    static const Secret kAssumed("assumed");
    const SecretSource* secret = secrets_.find(wanted.name);
    const std::string named = "Secret " + quote(wanted.name);
    if (secret == nullptr && secrets_.are_assumed) {
      findings_.note("SecretAssumed", subject + ": " + named + " is not among the files");
      return &kAssumed;
    }
    if (secret == nullptr) {
      fail("SecretNotFound", subject, named + " is not in this namespace: make it there");
    } else if (!secret->may_be_used) {
      fail("SecretRefused", subject,
           named + " is of type " + quote(secret->type) + ": use one of type Opaque");
    } else if (secret->is_too_large) {
      fail("SecretRefused", subject, named + " is larger than 256 KiB");
    } else if (const Secret* value = secret->find(wanted.key); value == nullptr || value->empty()) {
      fail("SecretNotFound", subject, named + " has no key " + quote(wanted.key) + ": add it");
    } else {
      return value;
    }
    return nullptr;
  }

  void read_client_certificate() {
    const auto value = values_.find("gateway-client-secret");
    if (!value) return;
    const Secret* chain = find({value->text, "tls.crt"}, value->subject);
    const Secret* key = chain == nullptr ? nullptr : find({value->text, "tls.key"}, value->subject);
    if (key == nullptr) return;
    Json& pair = at_path(out_.keys, "gateway.tls.client_certificate");
    pair["certificate"] = std::string(config::kTextPrefix) + "gateway-client-chain";
    pair["private_key"] = std::string(config::kTextPrefix) + "gateway-client-key";
    out_.texts["gateway-client-chain"] = chain->reveal();
    out_.texts["gateway-client-key"] = key->reveal();
    const SecretSource* secret = secrets_.find(value->text);
    const Secret* authority = secret == nullptr ? nullptr : secret->find("ca.crt");
    if (authority != nullptr && !has_path(out_.keys, "gateway.tls.ca_file"))
      put("gateway-ca-secret", "gateway.tls.ca_file", *authority);
  }

  void read_gateway_tls() {
    read_client_certificate();
    const auto scheme = values_.find("gateway-scheme");
    if (!scheme) return;
    const bool has_tls = has_path(out_.keys, "gateway.tls");
    if (scheme->text == "https") {
      if (!has_tls) at_path(out_.keys, "gateway.tls") = Json::object();
    } else if (scheme->text != "http") {
      fail("InvalidAnnotation", scheme->subject, quote(scheme->text) + ": write http or https");
    } else if (has_tls) {
      fail("InvalidAnnotation", scheme->subject,
           "http has no certificates: write https, or remove what concerns the gateway's TLS");
    } else {
      at_path(out_.keys, "gateway.tls") = nullptr;  // whatever the Service's port says
    }
  }

  void read_delegated() {
    const auto path = values_.find("sessions-by-gateway");
    if (!path) return;
    out_.keys["sessions"]["authenticators"] =
        Json::array({{{"delegated", {{"gateway", path->text}}}}});
  }

  void refuse_source_ranges() {
    const std::string name = std::string(kNginxPrefix) + "whitelist-source-range";
    if (!ingress_.annotations.contains(name)) return;
    fail("UnsupportedAnnotation", "annotation " + name,
         "an endpoint cannot keep addresses out, and without that it is not served: list them in "
         "the proxy's listeners[].allow_sources and remove it");
  }

  // Default deny.
  void check_sessions() {
    const Json& sessions = member(out_.keys, "sessions");
    const Json& jwt = member(sessions, "jwt");
    const bool keys = !member(jwt, "keys_file").is_null() || !member(jwt, "keys_url").is_null();
    if (jwt.is_null() && member(sessions, "authenticators").is_null() && !failed_) {
      fail("NoSessions", "nobody can be let in",
           "write kernelgate.io/issuer, kernelgate.io/audience and kernelgate.io/jwks-url (or "
           "kernelgate.io/session-keys-secret), or give the class such parameters");
    } else if (!jwt.is_null() && !keys && !failed_) {
      fail("NoSessions", values_.subject("issuer"),
           "its keys are missing: write kernelgate.io/jwks-url or "
           "kernelgate.io/session-keys-secret");
    }
  }

  const Metadata& ingress_;
  const Parameters& parameters_;
  const Values values_;
  const Secrets& secrets_;
  Findings& findings_;
  EndpointConfig out_;
  bool failed_ = false;
};

// "sessions.allow.groups[2]" -> "sessions.allow.groups"
std::string without_index(std::string key) {
  if (key.ends_with(']')) key.resize(key.rfind('['));
  return key;
}

}  // namespace

std::optional<EndpointConfig> common_config(const Metadata& ingress, const Parameters& parameters,
                                            const Secrets& secrets, Findings& findings) {
  return Builder(ingress, parameters, secrets, findings).run();
}

EndpointConfig endpoint_config(const EndpointConfig& common, const Identity& identity) {
  EndpointConfig out = common;
  out.keys["id"] = identity.id;
  out.keys["virtual_cluster"] = identity.space;
  Json& gateway = out.keys["gateway"];
  if (gateway.is_null()) gateway = Json::object();
  const auto tls = gateway.find("tls");
  if (tls == gateway.end()) {
    if (identity.is_tls) gateway["tls"] = Json::object();
  } else if (tls->is_null()) {
    gateway.erase(tls);
  }
  // Certificates inside a cluster are made for Services, rarely for the addresses of pods.
  if (gateway.contains("tls") && !gateway["tls"].contains("server_name"))
    gateway["tls"]["server_name"] = identity.service + "." + identity.space + ".svc";
  return out;
}

bool is_valid(const std::string& text, const config::Texts& texts, const Metadata& ingress,
              const Parameters& parameters, Findings& findings) {
  const config::LoadedEndpoint loaded = config::load_endpoint(text, texts);
  const Values values(ingress, parameters);
  for (const config::ConfigError& error : loaded.errors) {
    const AnnotationInfo* info = annotation_of_path(without_index(error.key));
    std::string message = info == nullptr ? error.key : values.subject(info->name);
    message += ": " + error.problem + ": " + error.remedy;
    if (error.warning) {
      findings.warn("QuestionableAnnotation", std::move(message));
    } else {
      findings.error("InvalidAnnotation", std::move(message));
    }
  }
  return loaded.endpoint.has_value();
}

std::set<std::string> secrets_of(const Metadata& ingress, const Parameters& parameters) {
  std::set<std::string> out;
  const Values values(ingress, parameters);
  for (const AnnotationInfo& info : annotations()) {
    const bool names_one = info.kind == ValueKind::kSecret || info.name == "gateway-client-secret";
    const auto value = names_one ? values.find(info.name) : std::nullopt;
    if (value) out.insert(split_secret(value->text, "").name);
  }
  return out;
}

void judge_names(const Metadata& ingress, Findings& findings) {
  std::string ignored;
  for (const auto& [full, value] : ingress.annotations) {
    const std::string_view name = full;
    if (name.starts_with(kOwnPrefix)) {
      if (find_annotation(name.substr(kOwnPrefix.size())) != nullptr) continue;
      const std::string near = nearest_annotation(name.substr(kOwnPrefix.size()));
      findings.warn("UnknownAnnotation",
                    "annotation " + quote(name) + " is unknown: " +
                        (near.empty() ? "remove it"
                                      : "did you mean " + std::string(kOwnPrefix) + near + "?"));
    } else if (name.starts_with(kNginxPrefix)) {
      const std::string_view theirs = name.substr(kNginxPrefix.size());
      const auto known = nginx_annotations();
      if (std::ranges::find(known, theirs, &NginxInfo::name) != known.end()) continue;
      ignored += (ignored.empty() ? "" : ", ") + full;
    }
  }
  if (!ignored.empty()) findings.note("IgnoredAnnotations", "mean nothing here: " + quote(ignored));
}

}  // namespace kg::ingress
