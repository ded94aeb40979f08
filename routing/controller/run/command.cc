#include "routing/controller/run/command.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "config/files.h"
#include "config/names.h"
#include "proxy/base/crypto.h"
#include "proxy/base/log.h"
#include "proxy/base/log_fields.h"
#include "proxy/event/status_server.h"
#include "routing/controller/ingress/payload.h"
#include "routing/controller/issuer/service.h"
#include "routing/controller/run/controller.h"
#include "routing/controller/run/fleet_secrets.h"
#include "routing/feed/limits.h"

namespace kg::controller {
namespace {

constexpr size_t kProblemsShownMax = 20;  // lists, in /readyz

// One would hold the Secrets of all.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

// Of this process alone: a Lease that an earlier one of the same pod held is another's.
std::string identity() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return std::string(host.data()) + "_" + crypto::random_hex(8);
}

std::optional<kube::Access> access_of(const std::string& kubeconfig, const std::string& context) {
  kube::LoadedAccess loaded = kubeconfig.empty() ? kube::in_cluster(kube::pod_environment())
                                                 : kube::load_kubeconfig(kubeconfig, context);
  for (const config::ConfigError& error : loaded.errors) {
    log::error("config", "{}", config::format(error));
  }
  return std::move(loaded.access);
}

std::string read_allowed(const std::string& file, feed::AllowList& out) {
  const config::FileText text = config::read_file(file, feed::kAllowedFileBytesMax);
  if (!text.text) return "--allow-file: " + file + " " + text.problem;
  std::string problem;
  std::optional<feed::AllowList> allowed = feed::AllowList::parse(*text.text, problem);
  if (!allowed) return file + ": " + problem;
  out = std::move(*allowed);
  return "";
}

// What files say; "" or what is wrong.
std::string read_feed(const RunOptions& options, feed::Publisher::Options& out) {
  out.addresses = options.publish;
  out.plaintext = options.plaintext;
  if (options.plaintext) return "";
  const bool has_list = !options.allow_file.empty() || !options.key_file.empty();
  std::string problem = has_list ? read_allowed(options.allow_file, out.allowed) : "";
  if (problem.empty() && !options.key_file.empty())
    out.keys = feed::read_keys(options.key_file, problem);
  return problem;
}

// Makes what the fleet lacks. Without a file our own key comes from there, and without a list of
// others the one that all proxies share.
std::string take_secrets(const RunOptions& options, const std::string& namespace_name,
                         FleetSecrets& secrets, feed::Publisher::Options& out) {
  const bool with_feed = !options.plaintext && options.key_file.empty();
  std::map<std::string, routing::KeyTexts> texts;
  std::string problem = secrets.ensure(namespace_name, with_feed, texts);
  if (!problem.empty() || !with_feed) return problem;
  out.keys = routing::feed_keys_of(texts[kControllerKeySecret]);
  if (!out.keys) return std::string("Secret ") + kControllerKeySecret + " holds no CURVE key";
  log::info("keys", "controllers are known by public_key={}", out.keys->public_key);
  if (!options.allow_file.empty()) return "";
  std::string list;
  for (const std::string& key : {routing::public_key_of(texts[kProxyKeySecret]),
                                 routing::next_public_key_of(texts[kProxyKeySecret])}) {
    if (!key.empty()) list += key + " all\n";
  }
  std::optional<feed::AllowList> allowed = feed::AllowList::parse(list, problem);
  if (!allowed) return std::string("Secret ") + kProxyKeySecret + ": " + problem;
  out.allowed = std::move(*allowed);
  return "";
}

// Of NAMESPACE/NAME.
std::optional<ingress::ObjectName> named_object(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  ingress::ObjectName out{text.substr(0, slash), text.substr(slash + 1)};
  if (!ingress::is_name(out.space) || !ingress::is_name(out.name)) return std::nullopt;
  return out;
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

// What is wrong with each first list that does not come. One namespace whose rights are missing
// keeps all waiting, so it is named.
std::string waiting_text(const std::vector<ListProblem>& problems) {
  nlohmann::json lists = nlohmann::json::array();
  for (const ListProblem& one : problems) {
    if (lists.size() == kProblemsShownMax) break;
    lists.push_back(
        {{"resource", one.what}, {"namespace", one.namespace_name}, {"problem", one.problem}});
  }
  std::string message = "the first lists of the API server are not complete";
  if (!problems.empty()) {
    message +=
        ", and nothing is published before: mend what waits_for says; where a right is missing, "
        "bind the role of deploy/kubernetes/controller-rbac.yaml in that namespace, or give up its "
        "--namespace if it is no more";
  }
  const nlohmann::json out{{"reason", "Service Unavailable"},
                           {"message", std::move(message)},
                           {"waits_for", std::move(lists)},
                           {"waits_for_total", problems.size()}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string read_status(const RunOptions& options, StatusWriter::Options& out) {
  out.addresses = options.status_addresses;
  if (!options.status_service.empty()) {
    out.service = named_object(options.status_service);
    if (!out.service) return "--status-service: write NAMESPACE/NAME";
  }
  return StatusWriter::check(out);
}

// `credentials_api`: of which there may be none.
void add_pages(event::StatusServer& server, const Controller& controller,
               const std::unique_ptr<issuer::Service>& credentials_api) {
  using Answer = event::StatusServer::Answer;
  server.add_page("/healthz", [] {
    return Answer{200, "application/json", "{\"status\":\"ok\"}\n"};
  });
  const double start_seconds = static_cast<double>(event::wall_us()) / 1e6;
  server.add_page("/metrics", [&controller, &credentials_api, start_seconds] {
    ControllerFacts facts = controller.facts();
    facts.start_time_seconds = start_seconds;
    std::string text = metrics_text(facts);
    if (credentials_api != nullptr) text += credentials_api->metrics();
    return Answer{200, "text/plain; version=0.0.4", std::move(text)};
  });
  server.add_page("/readyz", [&controller] {
    const bool is_ready = controller.synced();
    return Answer{is_ready ? 200 : 503, "application/json",
                  is_ready ? ready_text(controller) : waiting_text(controller.waiting())};
  });
}

// "" or what is wrong. Null if there is to be none.
std::string start_credentials(event::EventLoop& loop, kube::Client& client,
                              const Controller& controller, const issuer::Options& options,
                              std::unique_ptr<issuer::Service>& out) {
  if (options.listen.empty()) return "";
  out = std::make_unique<issuer::Service>(
      loop, client, options,
      [&controller](const issuer::Target& target) -> const std::string* {
        const feed::Item* item =
            controller.compiler().item(ingress::endpoint_key(target.space, target.endpoint));
        return item == nullptr ? nullptr : item->payload.get();
      },
      [&controller] { return controller.synced(); });
  std::string problem = out->start();
  if (problem.empty()) {
    log::info("credentials", "sessions are issued listen={} issuer={}", out->address(),
              options.issuer);
  }
  return problem;
}

// What does not need the API server; "" or what is wrong.
std::string read_options(const RunOptions& options, const kube::Access& access, Options& out) {
  out.namespaces = options.namespaces;
  out.settings = options.settings;
  out.election.identity = identity();
  out.election.namespace_name =
      options.lease_namespace.empty() ? access.namespace_name : options.lease_namespace;
  if (out.election.namespace_name.empty())
    return "no namespace is known for the Lease: give --lease-namespace";
  return read_status(options, out.status);
}

// "" or what is wrong.
std::string listen(event::StatusServer& server, const std::string& monitoring) {
  const config::Parsed<config::Address> parsed =
      config::parse_address(monitoring, config::KeyInfo{});
  if (!parsed.value) return "--monitoring: " + parsed.problem;
  const auto address = event::SocketAddress::parse(parsed.value->host, parsed.value->port);
  const Result<uint16_t> port =
      address ? server.listen(*address)
              : Result<uint16_t>(Error{ErrorCode::kConfiguration, "address", 0});
  if (!port) return "cannot listen on " + monitoring + ": free the address or change --monitoring";
  log::info("controller", "monitoring={}:{}", parsed.value->host, *port);
  return "";
}

std::string serve(event::EventLoop& loop, kube::Client& client, const RunOptions& options,
                  Options wanted) {
  Controller controller(loop, client, std::move(wanted));
  std::unique_ptr<issuer::Service> credentials_api;
  event::StatusServer server(loop);
  add_pages(server, controller, credentials_api);
  std::string problem = listen(server, options.monitoring);
  if (problem.empty()) problem = controller.start();
  if (problem.empty())
    problem = start_credentials(loop, client, controller, options.credentials, credentials_api);
  if (!problem.empty()) return problem;
  std::string published;
  for (const std::string& bound : controller.publisher().bound_addresses())
    published += (published.empty() ? "" : " ") + bound;
  log::info("controller", "controller starts publish={}", published);
  const auto end = [&] { controller.stop([&loop] { loop.stop(); }); };
  const event::SignalWatcher term(loop, SIGTERM, end);
  const event::SignalWatcher interrupt(loop, SIGINT, end);
  // Taken without that API too: who rotates logs need not know, and it would end us.
  const event::SignalWatcher reopen(loop, SIGUSR1, [&credentials_api] {
    if (credentials_api != nullptr) credentials_api->reopen_audit();
  });
  loop.run();
  return "";
}

}  // namespace

int run_command(const RunOptions& options) {
  forbid_core_dumps();
  log::use_json();
  std::optional<kube::Access> access = access_of(options.kubeconfig, options.context);
  if (!access) return 1;
  Options wanted;
  std::string problem = read_options(options, *access, wanted);
  kube::Credentials credentials(std::move(*access));
  if (problem.empty()) problem = credentials.open();
  event::EventLoop loop;
  kube::Client client(loop, credentials);
  FleetSecrets secrets(loop, client);
  if (problem.empty()) problem = read_feed(options, wanted.feed);
  if (problem.empty())
    problem = take_secrets(options, wanted.election.namespace_name, secrets, wanted.feed);
  if (problem.empty()) problem = serve(loop, client, options, std::move(wanted));
  if (problem.empty()) return 0;
  log::error("config", "{}", problem);
  return 1;
}

int keys_command(const KeysOptions& options) {
  forbid_core_dumps();
  const std::optional<ingress::ObjectName> secret = named_object(options.secret);
  std::optional<kube::Access> access = access_of(options.kubeconfig, options.context);
  std::string problem = secret ? "" : "--secret: write NAMESPACE/NAME";
  if (!access) return 1;
  kube::Credentials credentials(std::move(*access));
  if (problem.empty()) problem = credentials.open();
  event::EventLoop loop;
  kube::Client client(loop, credentials);
  FleetSecrets secrets(loop, client);
  routing::KeyTexts keys;
  if (problem.empty()) {
    problem = options.rotates ? secrets.rotate(*secret, options.kind, keys)
                              : secrets.make(*secret, options.kind, keys);
  }
  if (!problem.empty()) {
    fmt::print(stderr, "kernelgate-controller keys: {}\n", problem);
    return 1;
  }
  const std::string key =
      options.rotates ? routing::next_public_key_of(keys) : routing::public_key_of(keys);
  if (!key.empty()) fmt::print("{}\n", key);
  return 0;
}

}  // namespace kg::controller
