// Objects of a cluster, whatever they hold, beside one tenant's whose route must not move: what the
// compiler publishes can be read by proxies, and no route is there twice.
#include <set>
#include <string>
#include <tuple>

#include "routing/announced.h"
#include "routing/controller/ingress/compiler.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using ingress::Json;
using ingress::Kind;

Json parse(const char* text) { return Json::parse(text); }

void add_cluster(ingress::Compiler& compiler) {
  compiler.put(Kind::kIngressClass, parse(R"({"metadata":{"name":"c","annotations":
      {"ingressclass.kubernetes.io/is-default-class":"true"}},
      "spec":{"controller":"kernelgate.io/ingress","parameters":{"kind":"ConfigMap",
      "scope":"Namespace","namespace":"p","name":"p"}}})"));
  compiler.put(Kind::kConfigMap, parse(R"({"metadata":{"name":"p","namespace":"p"},"data":{
      "issuer":"https://i.test","audience":"a","jwks-url":"https://i.test/k",
      "host-template":"{id}.t.test"}})"));
  compiler.put(Kind::kService, parse(R"({"metadata":{"name":"s","namespace":"n"},
      "spec":{"ports":[{"name":"http","port":80}]}})"));
  compiler.put(Kind::kEndpointSlice, parse(R"({"metadata":{"name":"s-1","namespace":"n","labels":
      {"kubernetes.io/service-name":"s"}},"addressType":"IPv4","ports":[{"name":"http","port":80}],
      "endpoints":[{"addresses":["10.0.0.1"],
      "targetRef":{"kind":"Pod","name":"s-0","uid":"u"}}]})"));
  compiler.put(Kind::kIngress, parse(R"({"metadata":{"name":"i","namespace":"victim",
      "creationTimestamp":"2","annotations":{"kernelgate.io/endpoint-id":"victim"}},
      "spec":{"rules":[{"host":"victim.test","http":{"paths":[{"path":"/","pathType":"Prefix",
      "backend":{"service":{"name":"s","port":{"number":80}}}}]}}]}})"));
}

// A line each, of its kind or else of the one that its first byte says.
void put_lines(ingress::Compiler& compiler, std::string_view input) {
  while (!input.empty()) {
    std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) continue;
    const auto kind = ingress::kind_named(ingress::text(object, "kind"));
    Json& meta = object["metadata"];
    // Another namespace's, and older; the victim was there first.
    if (meta.is_object()) {
      if (kind.value_or(Kind::kIngress) != Kind::kIngressClass) meta["namespace"] = "n";
      meta["creationTimestamp"] = "1" + std::string(ingress::text(meta, "creationTimestamp"));
    }
    compiler.put(kind.value_or(Kind::kIngress), object);
    if (hash(line) % 4 == 0) compiler.run();
  }
}

void check(const ingress::Compiler& compiler) {
  std::set<std::tuple<std::string, std::string, routing::PathType>> routes;
  bool has_victim = false;
  for (const feed::Item& item : compiler.items()) {
    if (!item.key.starts_with("endpoint/")) continue;
    const routing::ReadAnnounced read =
        routing::read_announced(*item.payload, config::UnknownKeys::kRefused);
    KG_ASSERT(read.problem.empty());
    KG_ASSERT(item.key == "endpoint/" + item.scope_namespace + "/" + item.endpoint);
    KG_ASSERT(read.endpoint->endpoint.virtual_cluster == item.scope_namespace);
    for (const routing::AnnouncedRoute& route : read.endpoint->routes) {
      KG_ASSERT(routes.emplace(route.host, route.path, route.type).second);
      KG_ASSERT(route.host != "victim.test" || item.scope_namespace == "victim");
    }
    has_victim = has_victim || item.key == "endpoint/victim/victim";
  }
  KG_ASSERT(has_victim);
  for (const ingress::ObjectRef& ref : compiler.judged()) {
    for (const ingress::Finding& finding : compiler.findings(ref))
      KG_ASSERT(!finding.reason.empty() && !finding.message.empty());
  }
}

}  // namespace

void run(std::string_view input) {
  ingress::Compiler compiler;
  add_cluster(compiler);
  compiler.run();
  put_lines(compiler, input);
  compiler.run();
  check(compiler);
}

}  // namespace kg::fuzz
