// The subcommands of `kernelgate`. Each returns the exit code: 0 done, 1 failed, 2 unusable input.
#pragma once

#include <string>
#include <vector>

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
  std::string config_file;  // issuer and audience of its endpoint, unless given
  std::string endpoint;
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

// A key pair for the feed, in `file` and `file`.pub; prints the public key.
int new_keys_command(const std::string& file);

}  // namespace kg::server
