// Announced: one endpoint as the feed carries it, read and checked: its configuration, and beside
// it the routes, pods and texts that come from Kubernetes.
//
// A value; any thread. JSON, schema feed::kSchema:
//   {"schema":1, "kind":"endpoint", "id", "namespace",
//    "config": {...an entry of endpoints[] without hosts, path_prefix and gateway.pods...},
//    "files": {"NAME": "text"},                           named "feed:NAME" in the configuration
//    "routes": [{"host", "path", "type": "Exact"|"Prefix"}],
//    "pods": [{"name", "uid", "address", "ready", "serving", "terminating"}]}
// Within one schema whatever is not known is optional, at the top, in a route or a pod, and at any
// depth of "config": proxies ignore it, so that an older one follows a newer controller. So
// whatever a proxy must honour raises the schema: a new key that lets fewer people in, say, and a
// new value of a known key, which is refused. Before it publishes, a controller refuses unknown
// keys of "config". Limits: kAnnouncedBytesMax, kAnnouncedRoutesMax, kAnnouncedPodsMax. Errors: a
// sentence that says what is wrong, without any value of "files".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/files.h"
#include "config/problems.h"
#include "proxy/base/crypto.h"
#include "routing/endpoint_compiler.h"
#include "routing/route_snapshot.h"

namespace kg::routing {

inline constexpr size_t kAnnouncedBytesMax = size_t{1} << 20;  // an object of Kubernetes
inline constexpr size_t kAnnouncedRoutesMax = 1'000;           // of one endpoint
inline constexpr size_t kAnnouncedPodsMax = 64;                // as gateway.pods

inline constexpr std::string_view kEndpointKey = "endpoint/";

struct AnnouncedRoute {
  std::string host;  // as in Route
  std::string path;  // "" or "/a/b"; a prefix has no slash at its end (domain K5)
  PathType type = PathType::kPrefix;
};

struct AnnouncedPod {
  std::string name;
  std::string uid;  // tells a pod from the one before it with the same name (domain K17)
  config::Address address;
  bool ready = false;    // takes new kernels (domain K16)
  bool serving = false;  // keeps its own
};

struct Announced {
  config::Endpoint endpoint;  // id and namespace too; hosts, path_prefix and pods are empty
  crypto::Sha256 digest{};    // of "config" and "files"
  config::Texts texts;
  std::vector<AnnouncedRoute> routes;
  std::vector<AnnouncedPod> pods;
};

struct ReadAnnounced {
  std::optional<Announced> endpoint;
  std::string problem;
};
// `unknown_keys`: of "config".
ReadAnnounced read_announced(std::string_view payload,
                             config::UnknownKeys unknown_keys = config::UnknownKeys::kIgnored);

// Its routes, each with the endpoint that it leads to: one for every path prefix, since that is put
// before a gateway's paths or taken away (Endpoint::strip_prefix). What is wrong is the compiler's
// to tell. Thread: control.
// `sessions`: what was made of the same configuration and texts before, or null.
std::vector<Route> compile_announced(const Announced& announced, EndpointCompiler& compiler,
                                     const auth::SessionsRef& sessions);
// What no two routes of different endpoints may have.
std::string rule_of(const Route& route);
// Once these routes serve.
void mark_ready_pods(const Announced& announced, const std::vector<Route>& routes);

}  // namespace kg::routing
