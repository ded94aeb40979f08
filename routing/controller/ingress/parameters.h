// The parameters of an IngressClass: a ConfigMap that the operator of the cluster writes. It gives
// defaults for annotations, and bounds that they may narrow and never widen (domain A29).
//
// Pure; any thread. Read whole or not at all: a bound that cannot be read must not be taken for
// none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/controller/ingress/findings.h"
#include "routing/controller/ingress/object.h"

namespace kg::ingress {

struct HostGrant {
  std::string space;                  // a namespace, "*" for all others
  std::vector<std::string> suffixes;  // "*": any host and none; {namespace} stands for its name
};

struct Parameters {
  TextMap defaults;                          // by annotation, without the prefix
  TextMap inline_text;                       // by annotation: the text that its Secret would hold
  std::vector<std::string> allowed_issuers;  // empty: all, as for those below
  std::vector<std::string> allowed_jwks_hosts;
  std::vector<HostGrant> allowed_hosts;
  std::map<std::string, uint32_t, std::less<>> quota_max;  // by annotation
  std::vector<std::string> locked;                         // annotations that nobody may give
  std::string host_template;             // of rules without a host; {id} stands for the endpoint's
  std::string id_prefix;                 // of names that hold the endpoint's id behind it
  bool hosts_across_namespaces = false;  // Ingresses of several namespaces may share a host

  // By host_template, which must not be empty.
  std::string host_of(const std::string& id) const;
  bool is_locked(std::string_view annotation) const;
  // Whether Ingresses of that namespace may name the host, "" being any.
  bool allows_host(std::string_view space, std::string_view host) const;
};

struct ReadParameters {
  std::optional<Parameters> parameters;
  std::vector<Finding> findings;  // of the ConfigMap
};
ReadParameters read_parameters(const TextMap& data);

// The keys beside defaults, with what they mean: routing/controller/README.md has the table.
std::vector<std::string_view> parameter_names();

}  // namespace kg::ingress
