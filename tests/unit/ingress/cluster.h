// Cluster: objects as the API server hands them out, and a compiler that sees them.
#pragma once

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/controller/ingress/compiler.h"

namespace kg::ingress {

// P-256, made for these tests; its private half is nowhere.
inline constexpr const char* kJwks =
    R"({"keys":[{"kty":"EC","crv":"P-256","kid":"k","alg":"ES256","use":"sig",)"
    R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";

using Annotations = std::map<std::string, std::string>;

// What lets somebody in.
inline Annotations sessions(Annotations more = {}) {
  more.emplace("kernelgate.io/issuer", "https://studio.example.com");
  more.emplace("kernelgate.io/audience", "kernelgate");
  more.emplace("kernelgate.io/jwks-url", "https://studio.example.com/jwks");
  return more;
}

struct Path {
  std::string host;  // "-": the rule has none
  std::string path;
  std::string type = "Prefix";
  std::string service = "jeg";
  int port = 8888;
};

inline Json meta(const std::string& space, const std::string& name, int age = 0) {
  Json out{{"name", name}};
  if (!space.empty()) out["namespace"] = space;
  // The larger the age the older.
  out["creationTimestamp"] = "2026-01-0" + std::to_string(9 - age) + "T00:00:00Z";
  return out;
}

inline Json target(const std::string& service, const Json& port = {{"number", 8888}}) {
  return {{"service", {{"name", service}, {"port", port}}}};
}

inline Json ingress(const std::string& space, const std::string& name,
                    const std::vector<Path>& paths, const Annotations& annotations = sessions(),
                    int age = 0) {
  Json out{{"metadata", meta(space, name, age)}, {"spec", {{"ingressClassName", "kernelgate"}}}};
  out["metadata"]["annotations"] = annotations;
  for (const Path& path : paths) {
    Json rule{{"http",
               {{"paths",
                 {{{"path", path.path},
                   {"pathType", path.type},
                   {"backend", target(path.service, {{"number", path.port}})}}}}}}};
    if (path.host != "-") rule["host"] = path.host;
    out["spec"]["rules"].push_back(rule);
  }
  return out;
}

inline Json service(const std::string& space, const std::string& name,
                    const std::string& port_name = "", int port = 8888) {
  Json entry{{"port", port}, {"targetPort", "http"}};
  if (!port_name.empty()) entry["name"] = port_name;
  return {{"metadata", meta(space, name)}, {"spec", {{"ports", {entry}}}}};
}

inline Json pod(const std::string& name, const std::string& address, const Json& conditions = {}) {
  Json out{{"addresses", {address}},
           {"targetRef", {{"kind", "Pod"}, {"name", name}, {"uid", "uid-" + name}}}};
  if (!conditions.is_null()) out["conditions"] = conditions;
  return out;
}

inline Json slice(const std::string& space, const std::string& name, const std::string& of,
                  const std::vector<Json>& pods, const std::string& port_name = "",
                  int port = 8888) {
  Json out{{"metadata", meta(space, name)}, {"addressType", "IPv4"}, {"endpoints", pods}};
  out["metadata"]["labels"] = {{"kubernetes.io/service-name", of}};
  out["ports"] = {{{"name", port_name}, {"port", port}}};
  return out;
}

inline Json secret(const std::string& space, const std::string& name,
                   const std::map<std::string, std::string>& values,
                   const std::string& type = "Opaque") {
  return {{"metadata", meta(space, name)}, {"type", type}, {"stringData", values}};
}

inline Json ingress_class(const std::string& name, const std::string& map = "",
                          bool is_default = false) {
  Json out{{"metadata", meta("", name)}, {"spec", {{"controller", "kernelgate.io/ingress"}}}};
  if (is_default)
    out["metadata"]["annotations"] = {{"ingressclass.kubernetes.io/is-default-class", "true"}};
  if (!map.empty()) {
    out["spec"]["parameters"] = {
        {"kind", "ConfigMap"}, {"scope", "Namespace"}, {"namespace", "platform"}, {"name", map}};
  }
  return out;
}

inline Json config_map(const std::string& name, const std::map<std::string, std::string>& data) {
  return {{"metadata", meta("platform", name)}, {"data", data}};
}

class Cluster {
 public:
  // One class, and in namespace `analytics` a gateway of two pods.
  explicit Cluster(Settings settings = {}) : compiler_(std::move(settings)) {
    put(Kind::kIngressClass, ingress_class("kernelgate"));
    put(Kind::kService, service("analytics", "jeg"));
    put(Kind::kEndpointSlice,
        slice("analytics", "jeg-1", "jeg", {pod("jeg-0", "10.0.0.1"), pod("jeg-1", "10.0.0.2")}));
  }

  Compiler& compiler() noexcept { return compiler_; }
  Cluster& put(Kind kind, const Json& object) {
    compiler_.put(kind, object);
    return *this;
  }
  Cluster& put(const Json& object) { return put(Kind::kIngress, object); }
  Cluster& erase(Kind kind, const std::string& space, const std::string& name) {
    compiler_.erase({kind, {space, name}});
    return *this;
  }
  Changes run() { return compiler_.run(); }

  // Of everything that is published.
  std::vector<std::string> keys() {
    run();
    std::vector<std::string> out;
    for (const feed::Item& item : compiler_.items()) out.push_back(item.key);
    return out;
  }
  Json payload(const std::string& key) {
    run();
    for (const feed::Item& item : compiler_.items()) {
      if (item.key == key) return Json::parse(*item.payload);
    }
    return nullptr;
  }
  // "HOST PATH TYPE" of each route.
  std::vector<std::string> routes(const std::string& key) {
    std::vector<std::string> out;
    const Json all = payload(key);
    for (const Json& route : list(all, "routes"))
      out.push_back(std::string(text(route, "host")) + " " + std::string(text(route, "path")) +
                    " " + std::string(text(route, "type")));
    return out;
  }
  std::vector<std::string> reasons(const std::string& space, const std::string& name,
                                   Kind kind = Kind::kIngress) {
    run();
    std::vector<std::string> out;
    for (const Finding& finding : compiler_.findings({kind, {space, name}}))
      out.push_back(finding.reason);
    return out;
  }
  // All of them, a line each.
  std::string message(const std::string& space, const std::string& name) {
    run();
    std::string out;
    for (const Finding& finding : compiler_.findings({Kind::kIngress, {space, name}}))
      out += finding.message + "\n";
    return out;
  }

 private:
  Compiler compiler_;
};

}  // namespace kg::ingress
