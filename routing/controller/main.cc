// kernelgate-controller: options to subcommands, nothing else.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "routing/controller/check/command.h"
#include "routing/controller/run/command.h"

namespace {

constexpr int kUsage = 2;

struct Flags {
  kg::check::Options options;
  kg::controller::RunOptions run;
  std::string observed_label;
  std::string observed_parameters;
};

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
  command->add_option("--observe-class", flags.options.settings.observed.class_name,
                      "Reads Ingresses of this class too, which is another controller's");
  command->add_option("--observe-label", flags.observed_label,
                      "Reads Ingresses with this label too: NAME=VALUE");
  command->add_option("--observe-parameters", flags.observed_parameters,
                      "Class parameters of those: ConfigMap NAMESPACE/NAME");
  return command;
}

CLI::App* add_run(CLI::App& app, kg::controller::RunOptions& options) {
  CLI::App* command = app.add_subcommand("run", "Watch a cluster and tell proxies its routes");
  command->add_option("--kubeconfig", options.kubeconfig,
                      "Instead of the service account of this pod");
  command->add_option("--context", options.context,
                      "Of the kubeconfig, instead of its current one");
  command->add_option("--namespace", options.namespaces,
                      "Watches this one; repeatable. Without: all of the cluster");
  command->add_option("--lease-namespace", options.lease_namespace,
                      "Of the Lease by which controllers agree who leads (our own)");
  command->add_option("--publish", options.publish, "Where proxies connect (tcp://0.0.0.0:9903)");
  command->add_option("--key-file", options.key_file, "Our secret CURVE key");
  command->add_option("--allow-file", options.allow_file,
                      "Public keys of proxies, each with its scope");
  command->add_flag("--plaintext", options.plaintext, "Without keys: for tests");
  command->add_option("--monitoring", options.monitoring, "/healthz, /readyz (0.0.0.0:9904)");
  return command;
}

int run_check(Flags& flags) {
  kg::ingress::Observed& observed = flags.options.settings.observed;
  if (!flags.observed_label.empty() &&
      !kg::check::set_observed_label(flags.observed_label, observed)) {
    std::cerr << "--observe-label: write NAME=VALUE\n";
    return kUsage;
  }
  if (!flags.observed_parameters.empty() &&
      !kg::check::set_observed_parameters(flags.observed_parameters, observed)) {
    std::cerr << "--observe-parameters: write NAMESPACE/NAME\n";
    return kUsage;
  }
  return kg::check::check_command(flags.options);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Kernelgate's controller: Ingress objects in, routes out", "kernelgate-controller");
  app.require_subcommand(1);
  Flags flags;
  CLI::App* run = add_run(app, flags.run);
  add_check(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  if (run->parsed()) return kg::controller::run_command(flags.run);
  return run_check(flags);
}
