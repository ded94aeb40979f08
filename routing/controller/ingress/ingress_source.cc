// The rules of an Ingress (networking.k8s.io/v1) become routes to targets (domain K1 to K11).
#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/source.h"

namespace kg::ingress {
namespace {

constexpr std::string_view kLegacyClass = "kubernetes.io/ingress.class";

class RulesReader {
 public:
  IngressSource read(const Json& object, Metadata meta) {
    const Json& spec = member(object, "spec");
    out_.class_name = text(spec, "ingressClassName");
    const auto legacy = meta.annotations.find(kLegacyClass);
    if (out_.class_name.empty() && legacy != meta.annotations.end())
      out_.class_name = legacy->second;
    out_.meta = std::move(meta);
    default_ = read_target(member(spec, "defaultBackend"), "spec.defaultBackend");
    const Json& rules = list(spec, "rules");
    for (size_t i = 0; i < rules.size(); ++i)
      read_rule(rules[i], "spec.rules[" + std::to_string(i) + "]");
    if (rules.empty()) hosts_.emplace_back();
    add_default(rules.empty());
    read_tls(spec);
    out_.findings = findings_.all();
    return std::move(out_);
  }

 private:
  std::optional<Target> read_target(const Json& target, const std::string& at) {
    if (target.is_null()) return std::nullopt;
    const Json& service = member(target, "service");
    if (!member(target, "resource").is_null()) {
      findings_.error("ResourceBackend", at + " names a resource: name a Service");
      return std::nullopt;
    }
    Target out;
    const Json& port_of = member(service, "port");
    out.service = text(service, "name");
    out.port_name = text(port_of, "name");
    out.port_number = port(member(port_of, "number")).value_or(0);
    const bool has_name = !out.port_name.empty();
    if (!is_name(out.service) || has_name == (out.port_number != 0) ||
        (has_name && !is_name(out.port_name))) {
      findings_.error("InvalidBackend",
                      at + " names no Service with one port: give service.name, and either "
                           "service.port.name or service.port.number");
      return std::nullopt;
    }
    return out;
  }

  void read_rule(const Json& rule, const std::string& at) {
    const std::string_view written = text(rule, "host");
    HostText host = parse_rule_host(written);
    if (!host.host) {
      findings_.error("InvalidHost", at + ".host: " + quote(written) + " " + host.problem);
      return;
    }
    if (host.host->find("http") != std::string::npos) {
      findings_.warn("MisleadingHost",
                     at + ".host: " + quote(written) +
                         " holds \"http\", which Jupyter clients turn into \"ws\": choose a name "
                         "without it, or their WebSockets go elsewhere");
    }
    if (std::ranges::find(hosts_, *host.host) == hosts_.end()) {
      if (hosts_.size() == kHostsMax) return too_many_hosts();
      hosts_.push_back(*host.host);
    }
    const Json& paths = list(member(rule, "http"), "paths");
    if (paths.empty() && !default_) {
      findings_.warn("RuleWithoutPaths",
                     at + " has no paths: add http.paths, or a defaultBackend that it gets");
    }
    for (size_t i = 0; i < paths.size(); ++i)
      read_path(paths[i], *host.host, at + ".http.paths[" + std::to_string(i) + "]");
  }

  void too_many_hosts() {
    findings_.error("TooManyHosts", "more than " + std::to_string(kHostsMax) +
                                        " hosts: split it into several Ingresses");
  }

  void read_path(const Json& entry, const std::string& host, const std::string& at) {
    const std::string_view written = text(entry, "path");
    PathText path = parse_rule_path(written, text(entry, "pathType"));
    if (!path.path) {
      findings_.error("InvalidPath", at + ": " + quote(written) + " " + path.problem);
      return;
    }
    const Json& target = member(entry, "backend");
    if (target.is_null()) {
      findings_.error("InvalidBackend",
                      at + " names nothing that is served: give a Service and its port");
      return;
    }
    const bool has_upper =
        std::ranges::any_of(*path.path, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (has_upper || path.path->find("http") != std::string::npos) {
      findings_.warn("MisleadingPath",
                     at + ": " + quote(written) +
                         " does not survive Jupyter clients, which lower-case the WebSocket URL "
                         "and replace \"http\" in it: choose another path");
    }
    if (auto read = read_target(target, at + ".backend"))
      add({host, std::move(*path.path), path.type, std::move(*read), false}, at);
  }

  void add(Rule rule, const std::string& at) {
    if (!seen_.emplace(rule.host, rule.path, rule.type).second) {
      if (!rule.is_default)
        findings_.warn("DuplicatePath", at + " repeats a path of this host: the first one counts");
      return;
    }
    if (out_.rules.size() == kRoutesMax) {
      findings_.error("TooManyPaths", "more than " + std::to_string(kRoutesMax) +
                                          " paths of hosts: split it into several Ingresses");
      return;
    }
    if (std::ranges::find(out_.targets, rule.target) == out_.targets.end()) {
      if (out_.targets.size() == kTargetsMax) {
        findings_.error("TooManyBackends",
                        "more than " + std::to_string(kTargetsMax) +
                            " Services and ports: split it into several Ingresses");
        return;
      }
      out_.targets.push_back(rule.target);
    }
    out_.rules.push_back(std::move(rule));
  }

  // What no path of this Ingress's own hosts fits goes to its default target; without any rule,
  // that of all hosts. It takes no request from hosts that other Ingresses name.
  void add_default(bool has_no_rules) {
    if (!default_ && has_no_rules && !findings_.has_errors()) {
      findings_.error("NoRules", "neither spec.rules nor spec.defaultBackend: add one of them");
    }
    if (!default_) return;
    for (const std::string& host : hosts_)
      add({host, "/", PathType::kPrefix, *default_, true}, "spec.defaultBackend");
  }

  void read_tls(const Json& spec) {
    const Json& entries = list(spec, "tls");
    for (size_t i = 0; i < entries.size(); ++i) {
      const std::string at = "spec.tls[" + std::to_string(i) + "]";
      if (out_.tls.size() == kTlsEntriesMax) {
        findings_.warn("TooManySecrets", at + " and what follows is left out: at most " +
                                             std::to_string(kTlsEntriesMax) + " entries");
        return;
      }
      TlsEntry entry;
      entry.secret = text(entries[i], "secretName");
      if (entry.secret.empty()) continue;  // the proxy's own certificate
      if (!is_name(entry.secret)) {
        findings_.error("CertificateUnusable", at + ".secretName is no name of a Secret");
        continue;
      }
      entry.of_rules = list(entries[i], "hosts").empty();
      for (const Json& written : list(entries[i], "hosts")) {
        HostText host = parse_rule_host(text(written));
        if (!host.host || host.host->empty()) {
          findings_.warn("InvalidHost",
                         at + ".hosts: " + quote(text(written)) + " is no host name");
        } else if (++tls_hosts_ > kHostsMax) {
          return too_many_hosts();
        } else {
          entry.hosts.push_back(std::move(*host.host));
        }
      }
      if (entry.of_rules && !take_hosts_of_rules(entry)) {
        findings_.error("TooManyHosts",
                        at +
                            " and what follows is left out: the Secrets of spec.tls are for more "
                            "than " +
                            std::to_string(kCertificateNamesMax) +
                            " hosts together: list in each the hosts that it is for");
        return;
      }
      out_.tls.push_back(std::move(entry));
    }
  }

  bool take_hosts_of_rules(TlsEntry& entry) {
    names_of_rules_ += hosts_.size();
    if (names_of_rules_ > kCertificateNamesMax) return false;
    for (const std::string& host : hosts_) {
      if (!host.empty()) entry.hosts.push_back(host);
    }
    return true;
  }

  IngressSource out_;
  Findings findings_;
  std::optional<Target> default_;
  std::vector<std::string> hosts_;  // of rules, in their order
  size_t tls_hosts_ = 0;            // that spec.tls lists
  size_t names_of_rules_ = 0;       // those of rules, once for each Secret that lists none
  std::set<std::tuple<std::string, std::string, PathType>> seen_;
};

}  // namespace

IngressSource with_host(const IngressSource& ingress, const std::string& host) {
  IngressSource out = ingress;
  out.rules.clear();
  Findings findings;
  std::set<std::tuple<std::string, std::string, PathType>> seen;
  bool is_used = false;
  for (Rule rule : ingress.rules) {  // those of the default target are the last ones
    is_used = is_used || rule.host.empty();
    if (rule.host.empty()) rule.host = host;
    if (seen.emplace(rule.host, rule.path, rule.type).second) {
      out.rules.push_back(std::move(rule));
    } else if (!rule.is_default) {
      findings.warn("DuplicatePath",
                    quote(rule.host + rule.path) +
                        " stands in two rules, one of which names no host and gets this one by its "
                        "class: the first one counts");
    }
  }
  for (TlsEntry& entry : out.tls) {
    const bool is_new = std::ranges::find(entry.hosts, host) == entry.hosts.end();
    if (is_used && entry.of_rules && is_new) entry.hosts.push_back(host);
  }
  const std::vector<Finding>& found = findings.all();
  out.findings.insert(out.findings.end(), found.begin(), found.end());
  return out;
}

std::optional<IngressSource> read_ingress(const Json& object) {
  auto meta = metadata(object);
  if (!meta || meta->name.space.empty()) return std::nullopt;
  meta->labels = texts(member(object, "metadata"), "labels");
  meta->annotations = texts(member(object, "metadata"), "annotations");
  return RulesReader().read(object, std::move(*meta));
}

}  // namespace kg::ingress
