// The configuration as plain values: what config/README.md documents, after defaults and checks.
// Relative paths are already resolved against the file's folder. Secrets are not in here: only the
// names of the files that hold them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/base/limits.h"
#include "proxy/base/session_rules.h"
#include "proxy/base/settings.h"
#include "proxy/base/url.h"

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

// A service that sessions depend on. Always https.
struct Service {
  Url url;
  std::string ca_file;  // "": the system's store
  Place ca_place;
};

struct RemoteAnswers {
  Millis timeout{limits::kFetchMs};
  Millis believed{limits::kRemoteBelievedS * 1'000};
  Millis refused{limits::kRemoteRefusedS * 1'000};
};

struct IntrospectionSessions {
  std::string realm;  // default: the service's origin
  Service service;
  std::string client_id;
  std::string client_secret_file;
  Place secret_place;
  std::string issuer;  // these three: "" is not looked at
  std::string audience;
  std::string scope;
  std::string subject_claim = "sub";
  std::string endpoint_claim = "endpoint";
  std::string groups_claim = "groups";
  RemoteAnswers answers;
  Place place;
};

struct DelegatedSessions {
  std::string realm;               // "": the endpoint's id
  std::optional<Service> service;  // none: the endpoint's own gateway decides, by
  std::string gateway_path;        // a GET of this path
  std::string subject_header;
  std::string groups_header;
  RemoteAnswers answers;
  Place place;
};

struct JwtSessions {
  std::string realm;  // default: the issuer
  std::string issuer;
  std::string audience;
  std::string keys_file;  // "" with keys_url
  std::optional<Service> keys_url;
  Millis keys_refresh{0};  // 0: as Cache-Control says
  Millis keys_stale{limits::kKeysStale * 1'000};
  std::vector<std::string> algorithms;  // names; empty: those that the keys name
  std::string subject_claim = "sub";
  std::string endpoint_claim = "endpoint";
  std::string groups_claim = "groups";
  std::string virtual_cluster_claim;  // "": not needed, and called so where it is there
  Place place;                        // of keys_file
};

struct OpaqueSessions {
  std::string realm;
  std::string file;
  Place place;  // of file
};

// Which name of a client's certificate is the subject.
enum class CertificateName { kCommonName, kUri, kEmail, kDns };

struct CertificateSessions {
  std::string realm;
  CertificateName subject = CertificateName::kCommonName;
  Place place;
};

struct AlbSessions {
  std::string realm;                 // default: the issuer
  std::vector<std::string> signers;  // ARNs of load balancers, at least one
  std::string client;
  std::string issuer;
  Service keys;  // the URL below which the kids are
  std::string subject_claim = "sub";
  std::string endpoint_claim = "endpoint";
  std::string groups_claim = "groups";
  Place place;
};

// One link of an endpoint's chain.
using Authenticator = std::variant<JwtSessions, OpaqueSessions, AlbSessions, CertificateSessions,
                                   IntrospectionSessions, DelegatedSessions>;

struct Sessions {
  std::vector<Authenticator> authenticators;  // in order, `jwt` first; at least one
  SessionRules rules;
  std::string cookie;  // may hold a session token, "": none may
  Place place;
};

struct Pod {
  std::string name;  // default: the address as text
  Address address;
  std::string uid;  // Kubernetes'; "": a pod is known by its name

  // What kernel ids, and all that is known of the pod, go by.
  const std::string& identity() const noexcept { return uid.empty() ? name : uid; }
};

enum class OtherPaths { kDeny, kForward };
enum class GatewayCredentials { kOwn, kForward };

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

// Headers that tell the gateway who asks; "": not told.
struct IdentityHeaders {
  std::string subject;
  std::string realm;
  std::string groups;
  std::string role;
};

// Some of those with a session; auth/policy.h says what that means.
struct People {
  std::vector<std::string> realms;
  std::vector<std::string> subjects;
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::vector<std::string>>> claims;
};

struct OperationRule {
  bool allow = false;
  std::vector<std::string> operations;  // names, or "*"
  People people;
};

struct Policy {
  People allow;
  People support;
  std::vector<OperationRule> rules;
};

struct Gateway {
  std::vector<Pod> pods;  // 1 to 64
  bool replication = false;
  Millis gone_after{10'000};
  Millis list_stale_for{limits::kListStaleMs};
  GatewayCredentials credentials = GatewayCredentials::kOwn;
  Place credentials_place;
  std::string token_file;  // "" when the gateway wants none
  Place token_place;
  std::optional<GatewayTls> tls;  // none: plain HTTP
  HealthCheck health_check;
  Millis census{limits::kCensusMs};  // 0: off
  IdentityHeaders identity_headers;
  Millis kernel_launch_timeout{400'000};
  uint32_t launches_max = limits::kLaunchesMax;
  uint32_t launch_queue_max = limits::kLaunchQueueMax;
  Millis websocket_reconnect{10'000};  // 0: off
  uint32_t connections_max = limits::kUpstreamActivePerPodMax;
  uint32_t queue_max = limits::kUpstreamQueuePerPodMax;
  Millis queue_timeout{limits::kUpstreamQueueMs};
  Millis connect_timeout{limits::kUpstreamConnectMs};
  Millis idle_timeout{limits::kUpstreamIdleMs};
};

// Where operators revoke sessions.
struct AdminInterface {
  Address address;
  std::string token_file;
  Place token_place;
};

enum class ForeignIds { kDeny, kEndpoint };

// Kernels of an endpoint, and what their starts may say.
struct Kernels {
  ForeignIds foreign_ids = ForeignIds::kDeny;
  std::vector<std::string> pass;  // names of environment variables
  std::vector<std::string> deny;
  std::vector<std::string> spark_conf;  // keys in KERNEL_EXTRA_SPARK_OPTS; empty: it is dropped
};

// Who may use the kernels that are created from now on.
struct Sharing {
  enum class Kind { kOwner, kGroup, kEndpoint };
  Kind kind = Kind::kOwner;
  std::string group;
};

struct Endpoint {
  std::string id;
  std::string virtual_cluster = "default";
  std::string execution_role_arn;
  std::vector<std::string> hosts;  // lower case, no port; "*." + suffix is one label before it
  std::string path_prefix;         // "" or "/a/b", no slash at the end
  bool strip_prefix = true;
  bool notebook_sessions = false;
  OtherPaths other_paths = OtherPaths::kDeny;
  std::vector<std::string> allowed_origins;  // as browsers write them
  std::vector<Range> allow_sources;          // clients' addresses; empty: all
  Gateway gateway;
  Kernels kernels;
  Sessions sessions;
  Policy policy;
  std::vector<std::string> specs;  // kernel specs that may be seen and started; empty: all
  PrincipalQuotas quotas;
  Sharing sharing;
  Place place;
};

// Controllers that announce endpoints.
struct Feed {
  std::vector<std::string> controllers;      // "HOST:PORT"
  std::vector<std::string> controller_keys;  // public; empty with plaintext
  std::string key_file;                      // our secret one; "" with plaintext
  bool plaintext = false;
  std::string name;
  Place place;
  Place key_place;

  // Where it stands is no difference.
  bool operator==(const Feed& other) const {
    return controllers == other.controllers && controller_keys == other.controller_keys &&
           key_file == other.key_file && plaintext == other.plaintext && name == other.name;
  }
};

enum class AuditSubjects { kClear, kHashed, kOff };

struct AuditLog {
  std::string path = "off";  // "stdout", "off" or a file
  AuditSubjects subjects = AuditSubjects::kClear;
  std::string hash_key_file;  // "": a random key of this process

  bool operator==(const AuditLog&) const = default;
};

struct Config {
  std::string file;
  uint32_t workers = 0;  // 0: auto
  std::vector<Listener> listeners;
  std::string ticket_keys_file;  // "": random keys of this process
  Place ticket_keys_place;
  std::string kernel_id_keys_file;  // "": a key of our own
  Place kernel_id_keys_place;
  std::string state_dir;  // "": nothing is kept on disk
  Millis alb_idle_timeout{60'000};
  Settings settings;
  Address monitoring{"127.0.0.1", 9902};
  std::optional<AdminInterface> admin;
  std::string revocations_file;  // "": none
  Place revocations_place;
  std::string access_log_path = "stdout";  // "stdout", "off" or a file
  AuditLog audit_log;
  Millis drain_lame_duck{25'000};
  Millis drain_deadline{600'000};
  uint32_t metrics_endpoints_max = 500;
  std::optional<Feed> feed;  // none: endpoints are those of this file
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
