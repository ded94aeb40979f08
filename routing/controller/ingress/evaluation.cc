#include "routing/controller/ingress/evaluation.h"

#include <algorithm>
#include <utility>

#include "proxy/base/ascii.h"
#include "routing/controller/ingress/annotations.h"
#include "routing/controller/ingress/endpoint_config.h"
#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/policy.h"

namespace kg::ingress {
namespace {

// And was not made here yet.
bool is_recalled(const Good& good) { return good.keys.empty(); }

class Evaluation {
 public:
  Evaluation(const IngressSource& ingress, const ResolvedClass& resolved, const Ids& ids,
             const Surroundings& around, Memory& memory)
      : ingress_(ingress),
        name_(ingress.meta.name),
        resolved_(resolved),
        parameters_(*resolved.parameters),
        ids_(ids),
        around_(around),
        memory_(memory),
        who_{name_, &ingress, resolved.parameters.get()},
        secrets_{[this](const std::string& secret) {
                   return around_.store.secret({name_.space, secret});
                 },
                 around.assumes_secrets, around.judgements} {
    out_.view.class_name = resolved.name;
    out_.view.is_observed = resolved.is_observed;
  }

  Evaluated run() {
    take(ingress_.findings);
    judge_ids();
    const std::map<Target, std::vector<Route>> routes = routes_of();
    const auto common = read_common();
    for (size_t i = 0; i < ids_.of_targets.size(); ++i) {
      const auto mine = routes.find(ingress_.targets[i]);
      if (mine != routes.end()) add_endpoint(i, mine->second, common);
    }
    forget_other_ids();
    read_certificates();
    judge_names(ingress_.meta, findings_);
    out_.view.findings = findings_.all();
    return std::move(out_);
  }

 private:
  std::string annotation(std::string_view name) const {
    return "annotation " + std::string(kOwnPrefix) + std::string(name);
  }

  // Whose it is instead, without names of other tenants' objects.
  std::string named(const Claim* holder) const {
    if (holder == nullptr) return "nobody";
    if (holder->ingress.space != name_.space) return "an Ingress of another namespace";
    return "Ingress " + quote(holder->ingress.name);
  }

  void judge_ids() {
    if (!ids_.is_invalid) return;
    findings_.error("InvalidAnnotation", annotation("endpoint-id") +
                                             ": is not an endpoint id: use 1 to 64 of a-z and 0-9");
  }

  bool may_have_host(const std::string& host, const std::string& path) {
    if (!parameters_.allows_host(name_.space, host)) {
      say_once("HostNotAllowed", host.empty() ? "rules without a host are" : quote(host) + " is",
               " not for this namespace: take a host that its class allows");
      return false;
    }
    if (around_.holdings.owns(who_, host, path)) return true;
    say_once("HostTaken", host.empty() ? quote(first_element(path)) : quote(host),
             host.empty() ? " belongs to another namespace, which had it first: choose another "
                            "path, or give the rule a host"
                          : " belongs to another namespace, which had it first: choose another "
                            "host");
    return false;
  }

  void say_once(const char* reason, const std::string& subject, const std::string& problem) {
    if (said_.insert(reason + subject).second) findings_.error(reason, subject + problem);
  }

  std::map<Target, std::vector<Route>> routes_of() {
    std::map<Target, std::vector<Route>> out;
    for (const Rule& rule : ingress_.rules) {
      if (!may_have_host(rule.host, rule.path)) continue;
      const Claim* holder = around_.holdings.holder_of(rule);
      if (holder != nullptr && holder->ingress == name_) {
        out[rule.target].push_back({rule.host, rule.path, rule.type});
      } else if (!rule.is_default) {
        findings_.warn("PathTaken", quote(rule.host + rule.path) + " is served by " +
                                        named(holder) +
                                        ", which had it first: change the host or the path of one");
      } else {
        findings_.note("DefaultNotUsed", "spec.defaultBackend gets nothing of " +
                                             quote(rule.host.empty() ? "*" : rule.host) + ": " +
                                             named(holder) + " serves all of it");
      }
    }
    return out;
  }

  std::optional<EndpointConfig> read_common() {
    Findings findings;
    for (const std::string& secret : secrets_of(ingress_.meta, parameters_))
      out_.needs.insert({Kind::kSecret, {name_.space, secret}});
    auto common = common_config(ingress_.meta, parameters_, secrets_, findings);
    if (common && bytes_of(*common) > kIngressBytesMax) {
      findings.error("TooLarge", "annotations and Secrets of all its endpoints are more than " +
                                     std::to_string(kIngressBytesMax / 1024) +
                                     " KiB: shorten them, or split it into several Ingresses");
      common.reset();
    }
    take(findings.all());
    return common;
  }

  // Of all endpoints together, as their items will have it.
  size_t bytes_of(const EndpointConfig& common) const {
    const auto size = [](const Json& json) {
      return json.dump(-1, ' ', false, Json::error_handler_t::replace).size();
    };
    return (size(common.keys) + size(common.texts)) * ids_.of_targets.size();
  }

  void take(const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) {
      findings_.add(finding);
    }
  }

  void add_endpoint(size_t index, const std::vector<Route>& routes,
                    const std::optional<EndpointConfig>& common) {
    EndpointView view;
    view.id = ids_.of_targets[index];
    view.target = ingress_.targets[index];
    view.routes = routes;
    const ObjectName service{name_.space, view.target.service};
    out_.needs.insert({Kind::kService, service});
    Pods pods = pods_of(view.target, around_.store.service(service),
                        around_.store.slices_of(service), findings_);
    cordon(pods.pods);
    const Claim* holder = around_.holdings.holder_of_id(view.id);
    if (holder == nullptr || holder->ingress != name_) {
      findings_.error("EndpointIdTaken", annotation("endpoint-id") + ": " + quote(view.id) +
                                             " is the id of " + named(holder) +
                                             ", which had it first: choose another");
    } else if (const Good* good = config_of(view, common, pods.is_tls)) {
      take(good->findings);
      view.is_published = true;
      if (forwards(Json::parse(good->keys, nullptr, /*allow_exceptions=*/false)))
        keep_one(pods.pods);
      view.pods = std::move(pods.pods);
      out_.items.push_back(
          {endpoint_key(name_.space, view.id), name_.space, view.id,
           std::make_shared<const std::string>(payload_of(
               {view.id, name_.space, good->keys, good->texts, view.routes, view.pods}))});
    }
    out_.view.endpoints.push_back(std::move(view));
  }

  // The configuration that serves: the present one, else the last good one.
  const Good* config_of(EndpointView& view, const std::optional<EndpointConfig>& common,
                        bool is_tls) {
    const Identity identity{view.id, name_.space, view.target.service, is_tls};
    Findings findings;
    if (const Good* good = common ? keep(*common, identity, ingress_.meta, findings) : nullptr)
      return good;
    take(findings.all());
    const Good* last = last_good(identity);
    view.is_last_good = last != nullptr;
    if (last != nullptr) {
      findings_.note("LastGoodServes",
                     "endpoint " + quote(view.id) + " goes on with its last good annotations");
    }
    return last;
  }

  // Remembers it as good, if it is.
  const Good* keep(const EndpointConfig& common, const Identity& identity, const Metadata& meta,
                   Findings& findings) {
    EndpointConfig made = endpoint_config(common, identity);
    std::string keys = made.keys.dump(-1, ' ', false, Json::error_handler_t::replace);
    const auto [at, is_new] = memory_.good.try_emplace(identity.id);
    Good& good = at->second;
    if (good.keys != keys || good.texts != made.texts) {
      if (!is_valid(keys, made.texts, meta, parameters_, findings)) {
        if (is_new) memory_.good.erase(at);
        return nullptr;
      }
      good.keys = std::move(keys);
      good.texts = std::move(made.texts);
      good.findings = findings.all();
    }
    good.annotations = meta.annotations;
    good.parameters = resolved_.parameters;
    return &good;
  }

  // What its class does not allow any more does not go on: of other bounds than those of its time
  // it is made anew.
  const Good* last_good(const Identity& identity) {
    const auto known = memory_.good.find(identity.id);
    if (known == memory_.good.end()) return nullptr;
    if (known->second.parameters == resolved_.parameters) return &known->second;
    Metadata before = ingress_.meta;
    before.annotations = known->second.annotations;
    for (const std::string& secret : secrets_of(before, parameters_))
      out_.needs.insert({Kind::kSecret, {name_.space, secret}});
    Findings ignored;
    const auto common = common_config(before, parameters_, secrets_, ignored);
    Findings judged;  // as of present ones
    const Good* good = common ? keep(*common, identity, before, judged) : nullptr;
    // What is recalled was good with other Secrets than those of now, and may be so again.
    if (good == nullptr && !is_recalled(known->second)) memory_.good.erase(known);
    return good;
  }

  // Ids of kernels are the gateway's own there, and say nothing of pods.
  void keep_one(std::vector<PodEntry>& pods) {
    if (pods.size() < 2) return;
    const auto first = std::ranges::find_if(pods, &PodEntry::ready);
    if (first != pods.end()) std::iter_swap(pods.begin(), first);
    pods.resize(1);
    findings_.warn("ForwardTakesOnePod",
                   annotation("gateway-credentials") +
                       ": forward takes one pod, and the others are left out: run one replica");
  }

  void cordon(std::vector<PodEntry>& pods) {
    const auto written = ingress_.meta.annotations.find(std::string(kOwnPrefix) + "cordoned-pods");
    if (written == ingress_.meta.annotations.end()) return;
    if (cordoned_.empty()) {
      ascii::for_each_element(written->second,
                              [&](std::string_view name) { cordoned_.emplace(name); });
    }
    for (PodEntry& pod : pods) pod.ready = pod.ready && !cordoned_.contains(pod.name);
  }

  void forget_other_ids() {
    std::erase_if(memory_.good, [this](const auto& entry) {
      return std::ranges::find(ids_.of_targets, entry.first) == ids_.of_targets.end();
    });
  }

  // A Secret of the same name in another namespace is another one.
  bool shares_certificate(const Claim& holder, const std::string& host,
                          const std::string& secret) const {
    if (holder.ingress == name_) return true;
    return holder.ingress.space == name_.space &&
           around_.secret_for(holder.ingress, host) == secret;
  }

  void read_certificates() {
    for (const TlsEntry& entry : ingress_.tls) {
      const ObjectName secret{name_.space, entry.secret};
      out_.needs.insert({Kind::kSecret, secret});
      const CertificateView& certificate = around_.certificate(secret);
      const std::string subject = "Secret " + quote(entry.secret);
      const bool is_assumed = around_.assumes_secrets && around_.store.secret(secret) == nullptr;
      if (is_assumed) {
        findings_.note("SecretAssumed", subject + " is not among the files");
      } else if (!certificate.is_usable()) {
        findings_.error("CertificateUnusable", subject + " " + certificate.problem);
      }
      if (entry.hosts.empty()) {
        findings_.warn("NoTlsHosts",
                       subject + " is for no hosts: list those of the certificate in spec.tls");
      }
      CertificateHosts mine{entry.secret, {}};
      for (const std::string& host : entry.hosts) {
        if (!may_have_host(host, "/")) continue;
        const Claim* holder = around_.holdings.holder_of_certificate(host);
        if (holder != nullptr && !shares_certificate(*holder, host, entry.secret)) {
          const bool is_near = holder->ingress.space == name_.space;
          findings_.warn("CertificateTaken",
                         quote(host) + " has the certificate of " + named(holder) +
                             ", which had it first: " +
                             (is_near ? "name the same Secret in both" : "leave it out here"));
          continue;
        }
        if (certificate.is_usable() && !certificate.speaks_for(host)) {
          findings_.warn("CertificateNames", subject + " is a certificate of other names than " +
                                                 quote(host) + ": clients will refuse it");
        }
        mine.hosts.push_back(host);
      }
      if (!mine.hosts.empty()) out_.view.certificates.push_back(std::move(mine));
    }
  }

  const IngressSource& ingress_;
  const ObjectName& name_;
  const ResolvedClass& resolved_;
  const Parameters& parameters_;
  const Ids& ids_;
  const Surroundings& around_;
  Memory& memory_;
  const Claimant who_;
  const Secrets secrets_;
  Findings findings_;
  std::set<std::string> said_;
  std::set<std::string_view> cordoned_;  // by an annotation, which may name thousands
  Evaluated out_;
};

}  // namespace

std::optional<IngressMemory> exceptions_of(const Memory& memory, const Ids& ids,
                                           const IngressView& view) {
  IngressMemory out{memory.uid, ids.is_invalid ? ids.base : "", {}};
  for (const EndpointView& endpoint : view.endpoints) {
    const auto good = memory.good.find(endpoint.id);
    if (good == memory.good.end()) continue;
    const bool serves = endpoint.is_published && endpoint.is_last_good;
    if (!serves && !is_recalled(good->second)) continue;
    TextMap& annotations = out.good[endpoint.id];
    for (const auto& [name, value] : good->second.annotations) {
      if (name.starts_with(kOwnPrefix) || name.starts_with(kNginxPrefix))
        annotations.emplace(name, value);
    }
  }
  if (out.id_base.empty() && out.good.empty()) return std::nullopt;
  return out;
}

void recall(const IngressMemory& known, Memory& memory) {
  if (known.uid != memory.uid) return;
  if (memory.id_base.empty()) memory.id_base = known.id_base;
  for (const auto& [id, annotations] : known.good)
    memory.good.try_emplace(id, Good{"", {}, {}, annotations, nullptr});
}

Evaluated evaluate(const IngressSource& ingress, const ResolvedClass& resolved, const Ids& ids,
                   const Surroundings& around, Memory& memory) {
  return Evaluation(ingress, resolved, ids, around, memory).run();
}

}  // namespace kg::ingress
