#include "routing/controller/check/command.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "routing/controller/ingress/payload.h"
#include "routing/item_check.h"

namespace kg::check {
namespace {

using ingress::Json;
using ingress::Kind;
using ingress::ObjectRef;
using ingress::Severity;

struct Api {
  Kind kind;
  std::string_view version;
  bool is_namespaced;
};
constexpr std::array<Api, 6> kApis{{{Kind::kIngress, "networking.k8s.io/v1", true},
                                    {Kind::kIngressClass, "networking.k8s.io/v1", false},
                                    {Kind::kService, "v1", true},
                                    {Kind::kEndpointSlice, "discovery.k8s.io/v1", true},
                                    {Kind::kSecret, "v1", true},
                                    {Kind::kConfigMap, "v1", true}}};

const Api& api_of(Kind kind) {
  const auto* found = kApis.begin();
  while (found->kind != kind) ++found;
  return *found;
}

const char* word(Severity severity) {
  if (severity == Severity::kError) return "error";
  return severity == Severity::kWarning ? "warning" : "note";
}

class Run {
 public:
  Run(const Options& options, std::ostream& out)
      : options_(options), out_(out), compiler_(options.settings) {}

  int run(const Manifests& manifests) {
    for (const std::string& problem : manifests.problems) fail(problem);
    for (const Manifest& manifest : manifests.objects) put(manifest);
    add_class();
    compiler_.run();
    for (feed::Item& item : compiler_.items()) items_.emplace(item.key, std::move(item));
    for (const ObjectRef& ref : ingresses_) print(ref);
    for (const ObjectRef& ref : compiler_.judged()) {
      if (ref.kind == Kind::kIngress) continue;
      out_ << ref.text() << "\n";
      print(compiler_.findings(ref));
    }
    out_ << ingresses_.size() << " Ingresses, " << compiler_.ours().size() << " of them ours, "
         << endpoints_ << " endpoints, " << errors_ << " errors, " << warnings_ << " warnings\n";
    return errors_ == 0 ? 0 : 1;
  }

 private:
  void fail(const std::string& problem) {
    ++errors_;
    out_ << problem << "\n";
  }

  void put(const Manifest& manifest) {
    const auto kind = ingress::kind_named(ingress::text(manifest.object, "kind"));
    if (!kind) return;  // of no interest here
    const Api& api = api_of(*kind);
    if (ingress::text(manifest.object, "apiVersion") != api.version) {
      return fail(manifest.place + ": " + std::string(name_of(*kind)) + " of apiVersion " +
                  ingress::quote(ingress::text(manifest.object, "apiVersion")) + ": write " +
                  std::string(api.version));
    }
    const Json& labelled = ingress::member(manifest.object, "metadata");
    for (const char* name : {"annotations", "labels"}) {
      const Json& values = ingress::member(labelled, name);
      if (!values.is_object()) continue;
      for (const auto& [key, value] : values.items()) {
        if (value.is_string()) continue;
        fail(manifest.place + ": metadata." + name + " " + ingress::quote(key) +
             " is no string: put its value in quotes");
      }
    }
    Json object = manifest.object;
    Json& meta = object["metadata"];
    if (!meta.is_object() || !ingress::is_name(ingress::text(meta, "name")))
      return fail(manifest.place + ": has no metadata.name that a cluster would take: mend it");
    if (!api.is_namespaced) {
      meta.erase("namespace");
    } else if (ingress::text(meta, "namespace").empty()) {
      meta["namespace"] = options_.name_space;
    }
    const auto known = ingress::metadata(object);
    if (!known) return fail(manifest.place + ": metadata.namespace is no name of one: mend it");
    const ObjectRef ref{*kind, known->name};
    if (!seen_.insert(ref).second)
      return fail(manifest.place + ": " + ref.text() + " stands here a second time: remove one");
    if (*kind == Kind::kIngress) ingresses_.push_back(ref);
    if (compiler_.put(*kind, object) == ingress::Kept::kNoRoom)
      fail(manifest.place + ": its namespace has more of kind " +
           std::string(ingress::name_of(*kind)) + " than a controller keeps: remove some");
  }

  void add_class() {
    const ObjectRef ref{Kind::kIngressClass, {"", options_.class_name}};
    if (options_.class_name.empty() || seen_.contains(ref)) return;
    compiler_.put(Kind::kIngressClass, {{"metadata", {{"name", options_.class_name}}},
                                        {"spec", {{"controller", options_.settings.controller}}}});
  }

  void print(const ObjectRef& ref) {
    const ingress::IngressView* view = compiler_.view(ref.name);
    if (view == nullptr) {
      out_ << ref.text() << ": not ours\n";
      return;
    }
    out_ << ref.text() << " (class " << ingress::quote(view->class_name)
         << (view->is_observed ? ", observed" : "") << ")\n";
    for (const ingress::EndpointView& endpoint : view->endpoints) print(endpoint);
    for (const ingress::CertificateHosts& certificate : view->certificates) {
      out_ << "  certificate " << certificate.secret << " for";
      for (const std::string& host : certificate.hosts) out_ << " " << host;
      out_ << "\n";
    }
    print(view->findings);
    try_items(ref.name.space, *view);
  }

  // What proxies would say of what is published. Of a Secret that is only assumed nobody can.
  void try_items(const std::string& space, const ingress::IngressView& view) {
    if (std::ranges::find(view.findings, "SecretAssumed", &ingress::Finding::reason) !=
        view.findings.end()) {
      return;
    }
    std::vector<std::string> keys;
    for (const ingress::EndpointView& endpoint : view.endpoints)
      keys.push_back(ingress::endpoint_key(space, endpoint.id));
    for (const ingress::CertificateHosts& certificate : view.certificates)
      keys.push_back(ingress::certificate_key({space, certificate.secret}));
    for (const std::string& key : keys) {
      const auto found = items_.find(key);
      const std::string problem = found == items_.end() ? "" : tries_.problem_of(found->second);
      if (problem.empty()) continue;
      std::string message = key;
      message.append(": ").append(problem);
      print({{Severity::kError, "NotUsable", std::move(message)}});
    }
  }

  void print(const ingress::EndpointView& endpoint) {
    if (endpoint.is_published) ++endpoints_;
    out_ << "  endpoint " << endpoint.id << (endpoint.is_published ? "" : ", not published")
         << "\n";
    for (const ingress::Route& route : endpoint.routes) {
      out_ << "    route " << (route.host.empty() ? "*" : route.host) << route.path
           << (route.type == ingress::PathType::kExact ? " (Exact)" : "") << "\n";
    }
    out_ << "    service " << endpoint.target.service << ":" << endpoint.target.port_text() << "\n";
    for (const ingress::PodEntry& pod : endpoint.pods) {
      out_ << "    pod " << pod.name << " " << pod.address;
      if (pod.terminating) out_ << " terminating";
      if (!pod.ready) out_ << (pod.serving ? " takes no new kernels" : " not serving");
      out_ << "\n";
    }
  }

  void print(const std::vector<ingress::Finding>& findings) {
    for (const ingress::Finding& finding : findings) {
      if (finding.severity == Severity::kError) ++errors_;
      if (finding.severity == Severity::kWarning) ++warnings_;
      out_ << "  " << word(finding.severity) << ": " << finding.reason << ": " << finding.message
           << "\n";
    }
  }

  const Options& options_;
  std::ostream& out_;
  ingress::Compiler compiler_;
  std::vector<ObjectRef> ingresses_;
  std::set<ObjectRef> seen_;
  std::map<std::string, feed::Item> items_;
  routing::ItemCheck tries_;
  size_t endpoints_ = 0;
  size_t errors_ = 0;
  size_t warnings_ = 0;
};

}  // namespace

bool set_observed_label(const std::string& text, ingress::Observed& out) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  out.label = text.substr(0, equals);
  out.label_value = text.substr(equals + 1);
  return true;
}

bool set_observed_parameters(const std::string& text, ingress::Observed& out) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) return false;
  out.parameters = ingress::ObjectName{text.substr(0, slash), text.substr(slash + 1)};
  return true;
}

int check(const Manifests& manifests, const Options& options, std::ostream& out) {
  return Run(options, out).run(manifests);
}

int check_command(const Options& options) {
  Manifests manifests;
  for (const std::string& path : options.paths) read_manifests(path, manifests);
  return check(manifests, options, std::cout);
}

}  // namespace kg::check
