// The configuration as plain values: what config/README.md documents, after defaults and checks.
// Relative paths are already resolved against the file's folder. Secrets are not in here: only the
// names of the files that hold them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/limits.h"
#include "proxy/base/settings.h"

namespace kg::config {

using Millis = std::chrono::milliseconds;

// Where a value stood, for errors that are found later than parsing ("cannot read token_file").
struct Place {
  int line = 0;     // 1-based
  std::string key;  // "endpoints[0].gateway.token_file"
};

struct Address {      // numeric only
  std::string host;   // "0.0.0.0", "::1"
  uint16_t port = 0;  // 0: any free port (tests)
};

struct Range {       // CIDR
  std::string text;  // "10.0.0.0/8", always with a prefix length
};

struct CertificatePair {
  std::string certificate;  // PEM chain, leaf first
  std::string private_key;  // PEM
  Place place;
};

enum class ClientCertificateMode { kNone, kOptional, kRequired };

struct ClientCertificates {
  ClientCertificateMode mode = ClientCertificateMode::kNone;
  std::string ca_file;
  Place place;  // of ca_file
};

struct Listener {
  Address address;
  std::vector<CertificatePair>
      certificates;  // the first is the default (no SNI); none: self-signed
  ClientCertificates client_certificates;
  std::vector<Range> trusted_proxies;
  std::vector<Range> allow_sources;  // empty: all
};

struct JwtSessions {
  std::string realm;  // default: the issuer
  std::string issuer;
  std::string audience;
  std::string keys_file;
  std::vector<std::string> algorithms;  // ES256, RS256, EdDSA; empty: those that the keys name
  Place place;                          // of keys_file
};

struct Pod {
  std::string name;  // default: the address as text
  Address address;
};

enum class OtherPaths { kDeny, kForward };

// TLS to the pods.
struct GatewayTls {
  std::string ca_file;      // "": the system's store
  std::string server_name;  // "": the pod's address
  std::optional<CertificatePair> client_certificate;
  Place place;
};

struct HealthCheck {
  bool enabled = true;
  std::string path = "/api";
  Millis interval{5'000};
  Millis timeout{2'000};
  uint32_t unhealthy_after = 3;
  uint32_t healthy_after = 2;

  bool operator==(const HealthCheck&) const = default;
};

struct Gateway {
  std::vector<Pod> pods;   // exactly one for now
  std::string token_file;  // "" when the gateway wants none
  Place token_place;
  std::optional<GatewayTls> tls;  // none: plain HTTP
  HealthCheck health_check;
  Millis kernel_launch_timeout{400'000};
  uint32_t connections_max = limits::kUpstreamActivePerPodMax;
  uint32_t queue_max = limits::kUpstreamQueuePerPodMax;
  Millis connect_timeout{limits::kUpstreamConnectMs};
  Millis idle_timeout{limits::kUpstreamIdleMs};
};

struct Endpoint {
  std::string id;
  std::string virtual_cluster = "default";
  std::string execution_role_arn;
  std::vector<std::string>
      hosts;                // lower case, no port; "*." + suffix is a later feature and refused
  std::string path_prefix;  // "" or "/a/b", no slash at the end
  bool strip_prefix = true;
  OtherPaths other_paths = OtherPaths::kDeny;
  Gateway gateway;
  JwtSessions sessions;
  Place place;
};

struct Config {
  std::string file;
  uint32_t workers = 0;  // 0: auto
  std::vector<Listener> listeners;
  std::string ticket_keys_file;  // "": random keys of this process
  Place ticket_keys_place;
  Millis alb_idle_timeout{60'000};
  Settings settings;
  Address monitoring{"127.0.0.1", 9902};
  std::string access_log_path = "stdout";  // "stdout", "off" or a file
  Millis drain_lame_duck{25'000};
  Millis drain_deadline{600'000};
  uint32_t metrics_endpoints_max = 500;
  std::vector<Endpoint> endpoints;
};

struct ConfigError {
  std::string file;
  int line = 0;
  std::string key;
  std::string problem;  // "unknown key"
  std::string remedy;   // "remove it, or see config/README.md"
  bool warning = false;
};

// "kernelgate.yaml:12: endpoints[0].hosts: not a host name: remove the port"
std::string format(const ConfigError& error);

}  // namespace kg::config
