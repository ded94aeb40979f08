// kernelgate-controller: options to subcommands, nothing else.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <utility>

#include "routing/controller/check/command.h"
#include "routing/controller/run/command.h"

namespace {

constexpr int kUsage = 2;

struct Flags {
  kg::check::Options options;
  kg::controller::RunOptions run;
  kg::controller::KeysOptions keys;
  std::string key_kind = "feed";
  std::string observed_class;
  std::string observed_label;
  std::string observed_parameters;
};

void add_observed(CLI::App& command, Flags& flags) {
  command.add_option("--observe-class", flags.observed_class,
                     "Reads Ingresses of this class too, which is another controller's");
  command.add_option("--observe-label", flags.observed_label,
                     "Reads Ingresses with this label too: NAME=VALUE");
  command.add_option("--observe-parameters", flags.observed_parameters,
                     "Class parameters of those: ConfigMap NAMESPACE/NAME");
}

CLI::App* add_check(CLI::App& app, Flags& flags) {
  CLI::App* command =
      app.add_subcommand("check", "Say what manifests become, without asking a cluster");
  command->add_option("-f,--filename", flags.options.paths, "File or folder, repeatable")
      ->required();
  command->add_option("--namespace", flags.options.name_space,
                      "Of objects that name none (default)");
  command->add_option("--class", flags.options.class_name,
                      "Takes Ingresses of this class for ours, without an IngressClass");
  command->add_flag("--assume-secrets", flags.options.settings.assumes_secrets,
                    "Takes Secrets that are not among the files for right");
  add_observed(*command, flags);
  return command;
}

CLI::App* add_run(CLI::App& app, Flags& flags) {
  kg::controller::RunOptions& options = flags.run;
  CLI::App* command = app.add_subcommand("run", "Watch a cluster and tell proxies its routes");
  command->add_option("--kubeconfig", options.kubeconfig,
                      "Instead of the service account of this pod");
  command->add_option("--context", options.context,
                      "Of the kubeconfig, instead of its current one");
  command->add_option("--namespace", options.namespaces, "Watches this one; repeatable");
  command->add_flag("--all-namespaces", options.all_namespaces,
                    "Watches the whole cluster instead, every Secret included");
  command->add_option("--lease-namespace", options.lease_namespace,
                      "Of the Lease by which controllers agree who leads (our own)");
  command->add_option("--publish", options.publish, "Where proxies connect (tcp://0.0.0.0:9903)");
  command->add_option("--key-file", options.key_file,
                      "Our secret CURVE key; without one it is in a Secret, made if need be");
  command->add_option("--allow-file", options.allow_file,
                      "Public keys of proxies, each with its scope");
  command->add_flag("--plaintext", options.plaintext, "Without keys: for tests");
  command->add_option("--monitoring", options.monitoring,
                      "/healthz, /readyz, /metrics (0.0.0.0:9904)");
  command->add_option("--status-address", options.status_addresses,
                      "IP address or host name for the status of our Ingresses; repeatable");
  command->add_option("--status-service", options.status_service,
                      "The same from a Service: NAMESPACE/NAME");
  add_observed(*command, flags);
  return command;
}

void add_credentials(CLI::App& run, kg::issuer::Options& options) {
  run.add_option("--credentials-listen", options.listen,
                 "HTTPS address of the session credentials API (none)");
  run.add_option("--credentials-certificate", options.certificate_file, "Its chain, PEM");
  run.add_option("--credentials-certificate-key", options.certificate_key_file, "Its key, PEM");
  run.add_option("--credentials-signing-key", options.signing_key_file,
                 "Private keys, PEM: the first signs sessions, all are published");
  run.add_option("--credentials-issuer", options.issuer, "The issuer of those sessions");
  run.add_option("--credentials-audience", options.audiences,
                 "That callers' tokens have to be for; repeatable (the API server's own)");
  run.add_option("--credentials-calls", options.calls_per_minute,
                 "Of one caller in a minute (120)");
  run.add_option("--credentials-audit", options.audit, "File of the audit log (stdout)");
}

// False, and said, where they cannot be used.
bool take_observed(const Flags& flags, kg::ingress::Observed& observed) {
  observed.class_name = flags.observed_class;
  if (!flags.observed_label.empty() &&
      !kg::check::set_observed_label(flags.observed_label, observed)) {
    std::cerr << "--observe-label: write NAME=VALUE\n";
    return false;
  }
  if (!flags.observed_parameters.empty() &&
      !kg::check::set_observed_parameters(flags.observed_parameters, observed)) {
    std::cerr << "--observe-parameters: write NAMESPACE/NAME\n";
    return false;
  }
  return true;
}

// Which Secrets a controller reads is chosen, not found out.
bool has_namespaces(const kg::controller::RunOptions& options) {
  if (std::ranges::count(options.namespaces, "") > 0) {
    std::cerr << "--namespace \"\": write the name of one, or --all-namespaces for all\n";
    return false;
  }
  if (options.namespaces.empty() == options.all_namespaces) return true;
  std::cerr << "say which namespaces to watch: --namespace NAME, repeatable, or --all-namespaces\n";
  return false;
}

int run_run(Flags& flags) {
  if (!has_namespaces(flags.run) || !take_observed(flags, flags.run.settings.observed)) {
    return kUsage;
  }
  return kg::controller::run_command(flags.run);
}

CLI::App* add_keys(CLI::App& app, Flags& flags) {
  CLI::App* keys = app.add_subcommand("keys", "Make and rotate Secrets that a fleet shares");
  keys->require_subcommand(1);
  for (const auto& [name, help] : {std::pair{"new", "A Secret with new keys"},
                                   {"rotate", "A new key in front, the last ones still count"}}) {
    CLI::App* command = keys->add_subcommand(name, help);
    command->add_option("--secret", flags.keys.secret, "NAMESPACE/NAME")->required();
    command->add_option("--kind", flags.key_kind, "feed (the default), kernel-ids, tickets");
    command->add_option("--kubeconfig", flags.keys.kubeconfig,
                        "Instead of the service account of this pod");
    command->add_option("--context", flags.keys.context,
                        "Of the kubeconfig, instead of its current one");
  }
  return keys;
}

int run_keys(const CLI::App& keys, Flags& flags) {
  const auto kind = kg::routing::key_kind_named(flags.key_kind);
  if (!kind) {
    std::cerr << "--kind: write feed, kernel-ids or tickets\n";
    return kUsage;
  }
  flags.keys.kind = *kind;
  flags.keys.rotates = keys.got_subcommand("rotate");
  return kg::controller::keys_command(flags.keys);
}

int run_check(Flags& flags) {
  if (!take_observed(flags, flags.options.settings.observed)) return kUsage;
  return kg::check::check_command(flags.options);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Kernelgate's controller: Ingress objects in, routes out", "kernelgate-controller");
  app.require_subcommand(1);
  Flags flags;
  CLI::App* run = add_run(app, flags);
  add_credentials(*run, flags.run.credentials);
  add_check(app, flags);
  CLI::App* keys = add_keys(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (run->parsed()) return run_run(flags);
  if (keys->parsed()) return run_keys(*keys, flags);
  return run_check(flags);
}
