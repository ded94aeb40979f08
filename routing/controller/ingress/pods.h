// From a Service and its EndpointSlices to the pods of one target (domain K9, K14 to K18).
//
// Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "routing/controller/ingress/source.h"

namespace kg::ingress {

struct PodEntry {
  std::string name;     // the pod's, else one made of its address
  std::string uid;      // the name where none is known
  std::string address;  // "10.0.0.1:8888"
  bool ready = true;    // may take new kernels
  bool serving = true;  // keeps those that it has (K16)
  bool terminating = false;

  bool operator==(const PodEntry&) const = default;
};

struct Pods {
  std::vector<PodEntry> pods;  // by name; one for each pod, however many slices list it
  bool is_tls = false;         // the Service's port says so
};

// `service` null: it is not there. Findings say where `target` is, which is the message's subject.
Pods pods_of(const Target& target, const ServiceSource* service,
             const std::vector<const SliceSource*>& slices, Findings& findings);

}  // namespace kg::ingress
