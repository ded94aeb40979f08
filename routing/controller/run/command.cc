#include "routing/controller/run/command.h"

#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <optional>

#include "config/files.h"
#include "config/names.h"
#include "proxy/base/crypto.h"
#include "proxy/base/log.h"
#include "proxy/base/log_fields.h"
#include "proxy/event/status_server.h"
#include "routing/controller/ingress/payload.h"
#include "routing/controller/issuer/service.h"
#include "routing/controller/run/controller.h"

namespace kg::controller {
namespace {

constexpr size_t kAllowFileBytesMax = size_t{1} << 20;

// Of this process alone: a Lease that an earlier one of the same pod held is another's.
std::string identity() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return std::string(host.data()) + "_" + crypto::random_hex(8);
}

std::optional<kube::Access> access_of(const RunOptions& options) {
  kube::LoadedAccess loaded = options.kubeconfig.empty()
                                  ? kube::in_cluster(kube::pod_environment())
                                  : kube::load_kubeconfig(options.kubeconfig, options.context);
  for (const config::ConfigError& error : loaded.errors) {
    log::error("config", "{}", config::format(error));
  }
  return std::move(loaded.access);
}

std::string read_feed(const RunOptions& options, feed::Publisher::Options& out) {
  out.addresses = options.publish;
  out.plaintext = options.plaintext;
  if (options.plaintext) return "";
  std::string problem;
  out.keys = feed::read_keys(options.key_file, problem);
  if (!out.keys) return problem;
  const config::FileText text = config::read_file(options.allow_file, kAllowFileBytesMax);
  if (!text.text) return options.allow_file + " " + text.problem;
  std::optional<feed::AllowList> allowed = feed::AllowList::parse(*text.text, problem);
  if (!allowed) return options.allow_file + ": " + problem;
  out.allowed = std::move(*allowed);
  return "";
}

// What it published last: proxies that may see all of it hold the same where their digests are
// equal.
std::string ready_text(const Controller& controller) {
  const feed::Publisher& feed = controller.publisher();
  const feed::Version version = feed.version();
  return fmt::format(R"({{"status":"ok","leads":{},"version":"{}.{}","digest":"{}","items":{}}})"
                     "\n",
                     controller.election().leads(), version.term, version.sequence,
                     feed::text_of(feed.digest()), feed.history().items());
}

std::string read_status(const RunOptions& options, StatusWriter::Options& out) {
  out.addresses = options.status_addresses;
  const std::string& service = options.status_service;
  const size_t slash = service.find('/');
  if (!service.empty()) {
    if (slash == std::string::npos) return "--status-service: write NAMESPACE/NAME";
    out.service = {service.substr(0, slash), service.substr(slash + 1)};
    if (!ingress::is_name(out.service->space) || !ingress::is_name(out.service->name))
      return "--status-service: write NAMESPACE/NAME";
  }
  return StatusWriter::check(out);
}

void add_pages(event::StatusServer& server, const Controller& controller) {
  using Answer = event::StatusServer::Answer;
  server.add_page("/healthz", [] {
    return Answer{200, "application/json", "{\"status\":\"ok\"}\n"};
  });
  const double start_seconds = static_cast<double>(event::wall_us()) / 1e6;
  server.add_page("/metrics", [&controller, start_seconds] {
    ControllerFacts facts = controller.facts();
    facts.start_time_seconds = start_seconds;
    return Answer{200, "text/plain; version=0.0.4", metrics_text(facts)};
  });
  server.add_page("/readyz", [&controller] {
    if (controller.synced()) return Answer{200, "application/json", ready_text(controller)};
    return Answer{503, "application/json",
                  "{\"reason\":\"Service Unavailable\",\"message\":\"the first lists of the API "
                  "server are not complete\"}\n"};
  });
}

// False: it was said why. Null if there is to be none.
bool start_credentials(event::EventLoop& loop, kube::Client& client, const Controller& controller,
                       const issuer::Options& options, std::unique_ptr<issuer::Service>& out) {
  if (options.listen.empty()) return true;
  out = std::make_unique<issuer::Service>(
      loop, client, options,
      [&controller](const issuer::Target& target) -> const std::string* {
        const feed::Item* item =
            controller.compiler().item(ingress::endpoint_key(target.space, target.endpoint));
        return item == nullptr ? nullptr : item->payload.get();
      },
      [&controller] { return controller.synced(); });
  const std::string problem = out->start();
  if (problem.empty()) {
    log::info("credentials", "sessions are issued listen={} issuer={}", out->address(),
              options.issuer);
  } else {
    log::error("config", "{}", problem);
  }
  return problem.empty();
}

}  // namespace

int run_command(const RunOptions& options) {
  log::use_json();
  std::optional<kube::Access> access = access_of(options);
  if (!access) return 1;
  Options wanted;
  wanted.namespaces = options.namespaces;
  wanted.settings = options.settings;
  wanted.election.identity = identity();
  wanted.election.namespace_name =
      options.lease_namespace.empty() ? access->namespace_name : options.lease_namespace;
  if (wanted.election.namespace_name.empty()) {
    log::error("config", "no namespace is known for the Lease: give --lease-namespace");
    return 1;
  }
  std::string problem = read_feed(options, wanted.feed);
  if (problem.empty()) problem = read_status(options, wanted.status);
  kube::Credentials credentials(std::move(*access));
  if (problem.empty()) problem = credentials.open();
  const config::Parsed<config::Address> monitoring =
      config::parse_address(options.monitoring, config::KeyInfo{});
  if (problem.empty() && !monitoring.value) problem = "--monitoring: " + monitoring.problem;
  if (!problem.empty()) {
    log::error("config", "{}", problem);
    return 1;
  }
  event::EventLoop loop;
  kube::Client client(loop, credentials);
  Controller controller(loop, client, std::move(wanted));
  event::StatusServer server(loop);
  add_pages(server, controller);
  const auto address = event::SocketAddress::parse(monitoring.value->host, monitoring.value->port);
  const Result<uint16_t> port =
      address ? server.listen(*address)
              : Result<uint16_t>(Error{ErrorCode::kConfiguration, "address", 0});
  if (!port) {
    log::error("config", "cannot listen on {}: free the address or change --monitoring",
               options.monitoring);
    return 1;
  }
  problem = controller.start();
  if (!problem.empty()) {
    log::error("config", "{}", problem);
    return 1;
  }
  std::unique_ptr<issuer::Service> credentials_api;
  if (!start_credentials(loop, client, controller, options.credentials, credentials_api)) return 1;
  std::string published;
  for (const std::string& bound : controller.publisher().bound_addresses())
    published += bound + " ";
  log::info("controller", "controller starts publish={}monitoring={}:{}", published,
            monitoring.value->host, *port);
  const auto end = [&] { controller.stop([&loop] { loop.stop(); }); };
  const event::SignalWatcher term(loop, SIGTERM, end);
  const event::SignalWatcher interrupt(loop, SIGINT, end);
  loop.run();
  return 0;
}

}  // namespace kg::controller
