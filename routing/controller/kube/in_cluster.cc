#include <cstdlib>

#include "config/files.h"
#include "config/problems.h"
#include "routing/controller/kube/access.h"
#include "routing/controller/kube/limits.h"

namespace kg::kube {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? "" : value;
}

}  // namespace

PodEnvironment pod_environment() {
  PodEnvironment pod;
  pod.host = variable("KUBERNETES_SERVICE_HOST");
  pod.port = variable("KUBERNETES_SERVICE_PORT");
  return pod;
}

LoadedAccess in_cluster(const PodEnvironment& pod) {
  config::Problems problems("environment");
  const bool is_ipv6 = pod.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + pod.host + "]" : pod.host;
  ParsedUrl url = parse_url("https://" + host + ":" + pod.port + "/");
  if (pod.host.empty() || pod.port.empty()) {
    problems.error({0, pod.host.empty() ? "KUBERNETES_SERVICE_HOST" : "KUBERNETES_SERVICE_PORT"},
                   "is missing", "run in a pod, or name a kubeconfig");
  } else if (!url.url || url.url->target != "/") {
    problems.error({0, "KUBERNETES_SERVICE_HOST"}, "with KUBERNETES_SERVICE_PORT no address",
                   "run in a pod, or name a kubeconfig");
  }
  if (problems.has_errors()) return {std::nullopt, problems.take()};
  Access access;
  access.server = std::move(*url.url);
  access.server.target.clear();
  access.ca.file = pod.folder + "/ca.crt";
  access.token.file = pod.folder + "/token";
  config::FileText name = config::read_file(pod.folder + "/namespace", kNameBytesMax);
  if (name.text) access.namespace_name = name.text->substr(0, name.text->find('\n'));
  return {std::move(access), {}};
}

}  // namespace kg::kube
