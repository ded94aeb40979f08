// `kernelgate-controller run`: the controller as a process.
//
// Monitoring: /healthz, /metrics, and /readyz once every list is complete (a standby is ready too).
// The log is one JSON object a line, on stderr.
// SIGTERM hands the leadership over and ends. Exit code: 0, 1 if an address cannot be bound or a
// file cannot be used.
#pragma once

#include <string>
#include <vector>

#include "routing/controller/ingress/compiler.h"
#include "routing/controller/issuer/options.h"
#include "routing/fleet_keys.h"

namespace kg::controller {

struct RunOptions {
  std::string kubeconfig;  // "": the service account of the pod
  std::string context;
  std::vector<std::string> namespaces;
  bool all_namespaces = false;  // instead of those
  std::string lease_namespace;  // "": the context's or the pod's
  std::vector<std::string> publish{"tcp://0.0.0.0:9903"};
  std::string key_file;  // "": a Secret of the Lease's namespace, made if it is missing
  std::string allow_file;
  bool plaintext = false;
  std::string monitoring = "0.0.0.0:9904";
  std::vector<std::string> status_addresses;  // of our Ingresses
  std::string status_service;                 // NAMESPACE/NAME, instead of those
  ingress::Settings settings;
  issuer::Options credentials;
};

int run_command(const RunOptions& options);

// `kernelgate-controller keys new` and `rotate`: of a Secret. Prints the public key of a pair, of a
// rotated one the next.
struct KeysOptions {
  std::string kubeconfig;
  std::string context;
  std::string secret;  // NAMESPACE/NAME
  routing::KeyKind kind = routing::KeyKind::kFeed;
  bool rotates = false;
};
int keys_command(const KeysOptions& options);

}  // namespace kg::controller
