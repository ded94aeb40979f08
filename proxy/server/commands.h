// The subcommands of `kernelgate`. Each returns the exit code: 0 done, 1 failed, 2 unusable input.
#pragma once

#include <string>
#include <vector>

#include "routing/fleet_keys.h"

namespace kg::server {

int run_command(const std::string& config_file);
int check_command(const std::string& config_file);

struct ExplainOptions {
  std::string config_file;
  std::string url;
  std::string method = "GET";
  std::string token;  // "" for none
};
int explain_command(const ExplainOptions& options);

struct TokenOptions {
  std::string key_file;
  std::string config_file;  // issuer, audience, virtual cluster of its endpoint, unless given
  std::string endpoint;
  std::string virtual_cluster;
  std::string subject;
  std::string issuer;
  std::string audience;
  std::string role;
  std::string log_context;
  std::vector<std::string> groups;
  std::string lifetime = "15m";
  bool print_jwks = false;
  bool opaque = false;
};
int token_command(const TokenOptions& options);

struct AdminOptions {
  std::string config_file;  // address and token of its admin interface
  std::string address;      // IP:port; "" for that of the file
};
// POSTs to that path and prints what came of it.
int admin_command(const AdminOptions& options, const std::string& path);

// Keys of a fleet in `file` and, by suffix, beside it, mode 0600. Of the feed's the public key is
// printed: of a new pair, and of the one that the next rotation puts to use.
int new_keys_command(routing::KeyKind kind, const std::string& file);  // never overwrites
int rotate_keys_command(routing::KeyKind kind, const std::string& file);

}  // namespace kg::server
