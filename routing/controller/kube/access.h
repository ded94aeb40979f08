// Access: where the API server is, whom to believe there, and who we are.
//
// Values, made once at start from a kubeconfig or from the service account of the pod. Texts that
// come from files are read later and again by Credentials, because they rotate.
// Errors: every one names file, line and key. Secrets stand in no error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "proxy/base/secret.h"
#include "proxy/base/url.h"

namespace kg::kube {

// A text that stands in the file itself, or in one of its own. Both empty: there is none.
struct Source {
  std::string file;
  Secret text;

  bool empty() const noexcept { return file.empty() && text.empty(); }
};

struct Access {
  Url server;              // https; its target is a prefix of all paths, without a last '/'
  std::string connect_to;  // "10.0.0.1:443" where the certificate has another name, else ""
  Source ca;               // PEM
  Source chain;            // PEM, of a client certificate
  Source key;              // PEM
  Source token;
  std::string namespace_name;  // of the context or of our pod, "" if it says none
};

struct LoadedAccess {
  std::optional<Access> access;
  std::vector<config::ConfigError> errors;  // empty if there is one, but for warnings
};

// The context `context` of a kubeconfig, "" for its current one. `path` names the text in errors,
// and file names are relative to its folder. Read strictly where it decides whom we trust: an
// unknown key of the cluster or user in use is an error. What would run a program or weaken the
// connection is refused: exec and auth-provider, insecure-skip-tls-verify, plain http, passwords.
LoadedAccess parse_kubeconfig(std::string_view text, const std::string& path,
                              const std::string& context);
LoadedAccess load_kubeconfig(const std::string& path, const std::string& context);

// What the kubelet gives a pod.
struct PodEnvironment {
  std::string host;  // KUBERNETES_SERVICE_HOST
  std::string port;  // KUBERNETES_SERVICE_PORT
  std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount";
};
PodEnvironment pod_environment();  // of this process
LoadedAccess in_cluster(const PodEnvironment& pod);

}  // namespace kg::kube
