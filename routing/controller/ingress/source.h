// What the compiler keeps of each object: read once when the object changes, whatever it holds.
//
// Values. Reading never fails: what is wrong becomes a finding, or the object says less.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "proxy/base/secret.h"
#include "routing/controller/ingress/findings.h"
#include "routing/controller/ingress/object.h"
#include "routing/controller/ingress/rules.h"

namespace kg::ingress {

// A Service's port, by its name or its number: never the pod's (K9).
struct Target {
  std::string service;
  std::string port_name;     // or
  uint16_t port_number = 0;  // this

  std::string port_text() const {
    return port_name.empty() ? std::to_string(port_number) : port_name;
  }
  bool operator==(const Target&) const = default;
  bool operator<(const Target& other) const noexcept {
    return std::tie(service, port_name, port_number) <
           std::tie(other.service, other.port_name, other.port_number);
  }
};

struct Rule {  // one path of it
  std::string host;
  std::string path;
  PathType type = PathType::kPrefix;
  Target target;
  bool is_default = false;  // the Ingress's defaultBackend: any real rule comes before it (K8)
};

struct TlsEntry {
  std::vector<std::string> hosts;
  std::string secret;
  bool of_rules = false;  // names no hosts, and takes those of the rules
};

struct IngressSource {
  Metadata meta;
  std::string class_name;  // spec.ingressClassName, else the legacy annotation, else ""
  std::vector<Rule> rules;
  std::vector<Target> targets;  // distinct ones, in the order of the rules
  std::vector<TlsEntry> tls;
  std::vector<Finding> findings;  // of its shape
};
std::optional<IngressSource> read_ingress(const Json& object);
// As if its rules without a host named this one (the class's host-template).
IngressSource with_host(const IngressSource& ingress, const std::string& host);

struct ClassSource {
  Metadata meta;
  std::string controller;
  bool is_default = false;
  bool has_parameters = false;
  std::optional<ObjectName> parameters;  // of a ConfigMap; none with has_parameters: unusable
};
std::optional<ClassSource> read_class(const Json& object);

struct ServicePort {
  std::string name;
  uint16_t number = 0;
  uint16_t target = 0;       // 0: by name
  std::string app_protocol;  // "https", "kubernetes.io/wss"
};
struct ServiceSource {
  Metadata meta;
  bool is_external_name = false;
  bool prefers_ipv6 = false;  // of two families the first one listed
  std::vector<ServicePort> ports;
};
std::optional<ServiceSource> read_service(const Json& object);

struct SliceEndpoint {
  std::string address;  // numeric, the first one (K14)
  std::string pod;      // targetRef's, "" without a usable one
  std::string uid;      // the same
  bool ready = true;    // K15
  bool serving = true;
  bool terminating = false;
};
struct SlicePort {
  std::string name;
  uint16_t number = 0;  // 0: as the Service's
};
struct SliceSource {
  Metadata meta;
  std::string service;
  bool is_ipv6 = false;
  bool is_fqdn = false;
  std::vector<SlicePort> ports;
  std::vector<SliceEndpoint> endpoints;
};
std::optional<SliceSource> read_slice(const Json& object);

struct SecretSource {
  Metadata meta;
  std::string type;
  // Opaque, kubernetes.io/tls and our own. The rest are credentials of others, and not kept.
  bool may_be_used = false;
  bool is_too_large = false;
  std::vector<std::pair<std::string, Secret>> values;  // decoded

  const Secret* find(std::string_view key) const noexcept;
};
std::optional<SecretSource> read_secret(const Json& object);

struct MapSource {
  Metadata meta;
  TextMap data;
};
std::optional<MapSource> read_map(const Json& object);

}  // namespace kg::ingress
