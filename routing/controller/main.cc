// kernelgate-controller: options to subcommands, nothing else.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "routing/controller/check/command.h"

namespace {

constexpr int kUsage = 2;

struct Flags {
  kg::check::Options options;
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
  add_check(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return run_check(flags);
}
