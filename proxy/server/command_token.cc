#include <fmt/core.h>

#include <ctime>

#include "auth/session_mint.h"
#include "config/loader.h"
#include "config/values.h"
#include "proxy/base/limits.h"
#include "proxy/server/commands.h"

namespace kg::server {
namespace {

int fail(const std::string& sentence) {
  fmt::print(stderr, "kernelgate token: {}\n", sentence);
  return 2;
}

// Issuer and audience as the named file's endpoint expects them; false with a sentence printed.
bool fill_from_config(const TokenOptions& options, auth::SessionClaims& claims) {
  const config::Loaded loaded = config::load_file(options.config_file);
  if (!loaded.config) {
    for (const config::ConfigError& error : loaded.errors) {
      if (!error.warning) fmt::print(stderr, "error: {}\n", config::format(error));
    }
    return false;
  }
  for (const config::Endpoint& endpoint : loaded.config->endpoints) {
    if (endpoint.id != options.endpoint) continue;
    if (claims.issuer.empty()) claims.issuer = endpoint.sessions.issuer;
    if (claims.audience.empty()) claims.audience = endpoint.sessions.audience;
    return true;
  }
  fail(fmt::format("{} has no endpoint '{}'", options.config_file, options.endpoint));
  return false;
}

int print_public_keys(const std::string& key_file) {
  const auth::PublicKeys keys = auth::public_jwks(key_file);
  if (!keys.error.empty()) return fail(keys.error);
  fmt::print("{}\n", keys.json);
  return 0;
}

}  // namespace

int token_command(const TokenOptions& options) {
  if (options.print_jwks) return print_public_keys(options.key_file);
  if (options.endpoint.empty() || options.subject.empty()) {
    return fail("--endpoint and --subject are needed (or --print-jwks)");
  }
  auth::SessionClaims claims;
  claims.issuer = options.issuer;
  claims.audience = options.audience;
  if (!options.config_file.empty() && !fill_from_config(options, claims)) return 2;
  if (claims.issuer.empty() || claims.audience.empty()) {
    return fail("give --config FILE, or --issuer and --audience");
  }
  static constexpr config::KeyInfo kLifetime{"--lifetime", "duration", "1s to 12h", "15m", ""};
  const config::Parsed<config::Millis> lifetime =
      config::parse_duration(options.lifetime, kLifetime);
  if (!lifetime.value) return fail("--lifetime: " + lifetime.problem + "; " + lifetime.remedy);
  claims.lifetime_seconds = static_cast<uint32_t>(lifetime.value->count() / 1000);
  if (claims.lifetime_seconds == 0 || claims.lifetime_seconds > limits::kSessionSecondsMax) {
    return fail("--lifetime is from 1s to 12h");
  }
  claims.endpoint = options.endpoint;
  claims.subject = options.subject;
  claims.role = options.role;
  claims.log_context = options.log_context;
  claims.groups = options.groups;
  claims.issued_at = time(nullptr);
  const auth::Minted minted = auth::mint_session(options.key_file, claims);
  if (!minted.error.empty()) return fail(minted.error);
  fmt::print("{}\n", minted.token.reveal());
  return 0;
}

}  // namespace kg::server
