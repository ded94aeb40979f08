#include "config/loader.h"

#include <algorithm>
#include <utility>

#include "config/alb_reader.h"
#include "config/endpoint_reader.h"
#include "config/feed_reader.h"
#include "config/files.h"
#include "config/kernel_reader.h"
#include "config/names.h"
#include "config/routes.h"
#include "config/section.h"
#include "config/settings_reader.h"
#include "config/values.h"
#include "config/websocket_reader.h"
#include "config/yaml_tree.h"

namespace kg::config {
namespace {

constexpr size_t kFileBytesMax = size_t{16} * 1024 * 1024;  // 10,000 endpoints take about 4 MiB

std::vector<Range> read_ranges(const Section& section, std::string_view name) {
  std::vector<Range> out;
  for (Listed<Range>& listed : section.values<Range>(name, parse_range))
    out.push_back(std::move(listed.value));
  return out;
}

void read_tls(const Section& tls, const Files& files, Listener& out) {
  for (const Section& pair : tls.maps("certificates")) {
    CertificatePair certificate;
    certificate.certificate = files.existing(pair, "certificate", Secrecy::kPublic);
    certificate.private_key = files.existing(pair, "private_key", Secrecy::kSecret);
    certificate.place = pair.place_of("certificate");
    out.certificates.push_back(std::move(certificate));
  }
  if (!tls.has("certificates") && !tls.is_misspelt("certificates")) {
    tls.problems().warn(tls.place_of("certificates"),
                        "none is given: one is made at start that nobody can verify",
                        "that does behind an ALB; others need a certificate and its private_key");
  }
  if (!tls.has("client_certificates")) return;
  if (const auto clients = tls.map("client_certificates")) {
    out.client_certificates.mode =
        clients->value<ClientCertificateMode>("mode", parse_client_certificate_mode);
    out.client_certificates.ca_file = files.existing(*clients, "ca_file", Secrecy::kPublic);
    out.client_certificates.place = clients->place_of("ca_file");
  }
}

Listener read_listener(const Section& section, const Files& files) {
  Listener out;
  out.address = section.value<Address>("address", parse_address);
  if (const auto tls = section.map("tls")) read_tls(*tls, files, out);
  out.trusted_proxies = read_ranges(section, "trusted_proxies");
  out.allow_sources = read_ranges(section, "allow_sources");
  for (const Range& range : out.trusted_proxies) {
    if (!range.text.ends_with("/0")) continue;
    section.problems().warn(section.place_of("trusted_proxies"),
                            "everybody is trusted to name the client's address",
                            "list the load balancer's subnets");
  }
  return out;
}

struct Opened {
  Address address;
  Place place;
};

void check_addresses(const std::vector<Opened>& all, Problems& problems) {
  for (size_t i = 0; i < all.size(); ++i) {
    const Address& address = all[i].address;
    for (size_t first = 0; first < i && address.port != 0; ++first) {
      if (all[first].address.host != address.host || all[first].address.port != address.port)
        continue;
      const Place& other = all[first].place;
      problems.error(all[i].place,
                     quote(address_text(address)) + " is already the address of " + other.key +
                         " (line " + std::to_string(other.line) + ")",
                     "choose another port");
      break;
    }
  }
}

void read_addresses(const Section& root, const Files& files, Config& config) {
  std::vector<Opened> opened;
  for (const Section& section : root.maps("listeners")) {
    config.listeners.push_back(read_listener(section, files));
    opened.push_back({config.listeners.back().address, section.place_of("address")});
  }
  if (const auto monitoring = root.map("monitoring")) {
    config.monitoring = monitoring->value<Address>("address", parse_address);
    opened.push_back({config.monitoring, monitoring->place_of("address")});
  }
  if (const auto admin = root.has("admin") ? root.map("admin") : std::nullopt) {
    AdminInterface& out = config.admin.emplace();
    out.address = admin->value<Address>("address", parse_address);
    out.token_file = files.existing(*admin, "token_file", Secrecy::kSecret);
    out.token_place = admin->place_of("token_file");
    opened.push_back({out.address, admin->place_of("address")});
  }
  check_addresses(opened, root.problems());
}

void read_audit_log(const Section& root, const Files& files, AuditLog& out) {
  const auto section = root.map("audit_log");
  if (!section) return;
  out.path = files.log(*section, "path");
  out.subjects = section->value<AuditSubjects>("subjects", parse_audit_subjects);
  out.hash_key_file = files.existing(*section, "hash_key_file", Secrecy::kSecret);
}

// Who never asks for a certificate never sees one.
void check_certificate_sessions(const Config& config, Problems& problems) {
  using Mode = ClientCertificateMode;
  for (const Listener& listener : config.listeners) {
    if (listener.client_certificates.mode != Mode::kNone) return;
  }
  for (const Endpoint& endpoint : config.endpoints) {
    for (const Authenticator& link : endpoint.sessions.authenticators) {
      const auto* certificate = std::get_if<CertificateSessions>(&link);
      if (certificate == nullptr) continue;
      problems.error(certificate->place, "no listener asks clients for a certificate",
                     "give one tls.client_certificates");
    }
  }
}

void read_drain(const Section& root, Config& config) {
  const auto drain = root.map("drain");
  if (!drain) return;
  config.drain_lame_duck = drain->value<Millis>("lame_duck", parse_duration);
  config.drain_deadline = drain->value<Millis>("deadline", parse_duration);
}

// An ALB answers 504 when a target is silent for its idle timeout, and a gateway is silent for as
// long as a kernel starts (domain A3). Without trusted proxies there is no ALB to speak of.
void warn_of_idle_timeout(const Section& alb, const Config& config) {
  const bool has_alb = alb.has("idle_timeout") ||
                       std::any_of(config.listeners.begin(), config.listeners.end(),
                                   [](const Listener& l) { return !l.trusted_proxies.empty(); });
  if (!has_alb) return;
  for (const Endpoint& endpoint : config.endpoints) {
    if (endpoint.gateway.kernel_launch_timeout <= config.alb_idle_timeout) continue;
    const auto launch_s = endpoint.gateway.kernel_launch_timeout.count() / 1000;
    alb.problems().warn(
        alb.place_of("idle_timeout"),
        "below the kernel_launch_timeout of endpoint " + quote(endpoint.id) + " (" +
            std::to_string(launch_s) + "s), so slow kernel starts end with the ALB's 504",
        "raise the ALB's idle timeout and this key to " + std::to_string(launch_s + 20) + "s");
    return;
  }
}

void read_config(const Section& root, const Files& files, Config& config) {
  config.workers = root.value<uint32_t>("workers", parse_workers);
  read_addresses(root, files, config);
  config.ticket_keys_file = files.existing(root, "ticket_keys_file", Secrecy::kSecret);
  config.ticket_keys_place = root.place_of("ticket_keys_file");
  config.revocations_file = files.existing(root, "revocations_file", Secrecy::kPublic);
  config.revocations_place = root.place_of("revocations_file");
  read_kernel_ids(root, files, config);
  const auto alb = root.map("alb");
  if (alb) config.alb_idle_timeout = alb->value<Millis>("idle_timeout", parse_duration);
  config.settings = read_settings(root, config.alb_idle_timeout);
  config.settings.websocket = read_websocket(root, config.alb_idle_timeout);
  if (const auto access_log = root.map("access_log"))
    config.access_log_path = files.log(*access_log, "path");
  read_audit_log(root, files, config.audit_log);
  read_drain(root, config);
  if (const auto metrics = root.map("metrics"))
    config.metrics_endpoints_max = metrics->value<uint32_t>("endpoints_max", parse_integer);
  config.feed = read_feed(root, files);
  if (!config.feed && !root.has("endpoints") && !root.is_misspelt("endpoints")) {
    root.problems().error(root.place_of("endpoints"), "missing", "add it: list of maps");
  }
  RouteClaims claims(root.problems());
  for (const Section& section : root.maps("endpoints"))
    config.endpoints.push_back(read_endpoint(section, files, claims));
  check_load_balancers(config, root.problems());
  if (alb) warn_of_idle_timeout(*alb, config);
  check_certificate_sessions(config, root.problems());
}

}  // namespace

Loaded load_text(std::string_view text, const std::string& path) {
  Problems problems(path);
  Loaded loaded;
  Config config;
  config.file = path;
  if (text.size() > kFileBytesMax) {
    problems.error({}, "is larger than 16 MiB", "split it by endpoints");
  } else if (const auto tree = parse_tree(text, problems)) {
    read_config(Section(*tree, problems), Files(path), config);
  }
  if (!problems.has_errors()) loaded.config = std::move(config);
  loaded.errors = problems.take();
  return loaded;
}

Loaded load_file(const std::string& path) {
  FileText file = read_file(path, kFileBytesMax);
  if (file.text) return load_text(*file.text, path);
  Problems problems(path);
  problems.error({}, std::move(file.problem), "check the name after --config");
  return {std::nullopt, problems.take()};
}

}  // namespace kg::config
