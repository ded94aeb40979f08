#include "routing/controller/ingress/endpoint_config.h"

#include <algorithm>
#include <utility>

#include "config/endpoint_loader.h"
#include "proxy/base/ascii.h"
#include "routing/controller/ingress/annotations.h"
#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/narrowing.h"
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
      : parameters_(parameters),
        values_(ingress, parameters),
        secret_texts_(values_, secrets, out_.texts, findings),
        findings_(findings) {}

  std::optional<EndpointConfig> run() {
    refuse_locked();
    for (const AnnotationInfo& info : annotations()) read(info);
    read_gateway_tls();
    read_delegated();
    leave_kernels_to_gateway();
    check_policy(values_, parameters_, out_.keys, findings_);
    check_narrowing(values_, parameters_, findings_);
    check_sessions();
    if (findings_.has_errors()) return std::nullopt;
    return std::move(out_);
  }

 private:
  void fail(const char* reason, const std::string& subject, const std::string& problem) {
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
    if (info.kind == ValueKind::kSecret) {
      if (auto name = secret_texts_.read(info)) at_path(out_.keys, info.path) = std::move(*name);
      return;
    }
    const auto value = values_.find(info.name);
    if (!value) return;
    if (info.kind == ValueKind::kText) {
      at_path(out_.keys, info.path) = ascii::trim(value->text);
      return;
    }
    Json entries = Json::array();
    ascii::for_each_element(value->text, [&](std::string_view entry) { entries.push_back(entry); });
    if (entries.size() > kListEntriesMax) {
      return fail("InvalidAnnotation", value->subject,
                  "has more than " + std::to_string(kListEntriesMax) + " entries: shorten it");
    }
    at_path(out_.keys, info.path) = std::move(entries);
  }

  void read_client_certificate() {
    const auto pair = secret_texts_.read_pair();
    if (!pair) return;
    Json& keys = at_path(out_.keys, "gateway.tls.client_certificate");
    keys["certificate"] = pair->chain;
    keys["private_key"] = pair->key;
    if (!pair->authorities.empty()) at_path(out_.keys, "gateway.tls.ca_file") = pair->authorities;
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

  // With `forward` no list of kernels can be had that counts everybody's: a gateway that knows its
  // callers counts for itself. What the class says of kernels is for the others.
  void leave_kernels_to_gateway() {
    const auto kernels = values_.find("quota-kernels");
    if (!forwards(out_.keys) || !kernels || kernels->is_own) return;
    out_.keys["quotas"].erase("kernels");
  }

  // Default deny.
  void check_sessions() {
    if (findings_.has_errors()) return;
    const Json& sessions = member(out_.keys, "sessions");
    const Json& jwt = member(sessions, "jwt");
    const bool keys = !member(jwt, "keys_file").is_null() || !member(jwt, "keys_url").is_null();
    if (jwt.is_null() && member(sessions, "authenticators").is_null()) {
      fail("NoSessions", "nobody can be let in",
           "write kernelgate.io/issuer, kernelgate.io/audience and kernelgate.io/jwks-url (or "
           "kernelgate.io/session-keys-secret), or give the class such parameters");
    } else if (!jwt.is_null() && !keys) {
      fail("NoSessions", values_.subject("issuer"),
           "its keys are missing: write kernelgate.io/jwks-url or "
           "kernelgate.io/session-keys-secret");
    }
  }

  const Parameters& parameters_;
  const Values values_;
  EndpointConfig out_;
  SecretTexts secret_texts_;
  Findings& findings_;
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

void judge_names(const Metadata& ingress, Findings& findings) {
  std::string ignored;
  size_t unknown = 0;
  for (const auto& [full, value] : ingress.annotations) {
    const std::string_view name = full;
    if (name.starts_with(kOwnPrefix)) {
      if (find_annotation(name.substr(kOwnPrefix.size())) != nullptr) continue;
      // An object has room for thousands, and the nearest of all names is dear.
      if (unknown++ > kFindingsMax) continue;
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
