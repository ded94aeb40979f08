// kernelgate: options to subcommands, nothing else.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <utility>

#include "proxy/server/commands.h"
#include "proxy/server/version.h"

namespace {

constexpr int kUsage = 2;

void add_explain(CLI::App& app, kg::server::ExplainOptions& options) {
  CLI::App* command = app.add_subcommand("explain", "Say what a request would meet, and why");
  command->add_option("--config", options.config_file, "Configuration file")->required();
  command->add_option("--url", options.url, "https://HOST[:PORT]/PATH")->required();
  command->add_option("--method", options.method, "Request method (GET)");
  command->add_option("--token", options.token, "Session token");
}

void add_token(CLI::App& app, kg::server::TokenOptions& options) {
  CLI::App* command = app.add_subcommand("token", "Mint a development session token");
  command->add_option("--key", options.key_file, "Private signing key, PEM");
  command->add_option("--config", options.config_file,
                      "Take issuer, audience and virtual cluster from this file");
  command->add_option("--endpoint", options.endpoint, "Endpoint id");
  command->add_option("--virtual-cluster", options.virtual_cluster,
                      "Of the endpoint (default: of --config)");
  command->add_option("--subject", options.subject, "User name");
  command->add_option("--issuer", options.issuer, "Issuer (default: of --config)");
  command->add_option("--audience", options.audience, "Audience (default: of --config)");
  command->add_option("--role", options.role, "Execution role ARN");
  command->add_option("--group", options.groups, "Group, repeatable");
  command->add_option("--log-context", options.log_context, "Log context, 3 to 63 characters");
  command->add_option("--lifetime", options.lifetime, "1s to 12h (15m)");
  command->add_flag("--print-jwks", options.print_jwks,
                    "Print the public keys for keys_file instead");
  command->add_flag("--opaque", options.opaque,
                    "Print an opaque token, and in a second line what its file needs");
}

struct KeysFlags {
  std::string file;
  std::string kind = "feed";
};

CLI::App* add_keys(CLI::App& app, KeysFlags& flags) {
  CLI::App* keys = app.add_subcommand("keys", "Make and rotate what a fleet shares");
  keys->require_subcommand(1);
  for (const auto& [name, help] : {std::pair{"new", "New keys: FILE, of the feed's also FILE.pub"},
                                   {"rotate", "A new key in front, the last ones still count"}}) {
    CLI::App* command = keys->add_subcommand(name, help);
    command->add_option("FILE", flags.file, "Of new keys it must not exist")->required();
    command->add_option("--kind", flags.kind, "feed (the default), kernel-ids, tickets");
  }
  return keys;
}

int run_keys(const CLI::App& keys, const KeysFlags& flags) {
  const auto kind = kg::routing::key_kind_named(flags.kind);
  if (!kind) {
    std::cerr << "--kind: write feed, kernel-ids or tickets\n";
    return kUsage;
  }
  if (keys.got_subcommand("rotate")) return kg::server::rotate_keys_command(*kind, flags.file);
  return kg::server::new_keys_command(*kind, flags.file);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Kernelgate: TLS proxy for Jupyter kernel traffic", "kernelgate");
  app.require_subcommand(1);
  std::string config_file;
  CLI::App* run = app.add_subcommand("run", "Run the proxy");
  run->add_option("--config", config_file, "Configuration file")->required();
  CLI::App* check = app.add_subcommand("check", "Check a configuration file");
  check->add_option("--config", config_file, "Configuration file")->required();
  kg::server::ExplainOptions explain;
  add_explain(app, explain);
  kg::server::TokenOptions token;
  add_token(app, token);
  KeysFlags keys_flags;
  CLI::App* keys = add_keys(app, keys_flags);
  kg::server::AdminOptions admin_options;
  CLI::App* admin = app.add_subcommand("admin", "Call the admin interface of a running proxy");
  admin->require_subcommand(1);
  CLI::App* feed = admin->add_subcommand("feed", "Routes that controllers announce");
  feed->require_subcommand(1);
  CLI::App* reset =
      feed->add_subcommand("reset", "Take the next version that is offered, an older one too");
  reset->add_option("--config", admin_options.config_file, "Configuration file")->required();
  reset->add_option("--address", admin_options.address, "IP:port (default: of the file)");
  app.add_subcommand("version", "Print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }

  if (run->parsed()) return kg::server::run_command(config_file);
  if (check->parsed()) return kg::server::check_command(config_file);
  if (app.got_subcommand("explain")) return kg::server::explain_command(explain);
  if (app.got_subcommand("token")) return kg::server::token_command(token);
  if (reset->parsed()) return kg::server::admin_command(admin_options, "/feed/reset");
  if (keys->parsed()) return run_keys(*keys, keys_flags);
  std::cout << "kernelgate " << kg::server::kVersion << "\n";
  return 0;
}
