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

// Issuer, audience and virtual cluster as the named file's endpoint expects them; false with a
// sentence printed.
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
    for (const config::Authenticator& link : endpoint.sessions.authenticators) {
      const auto* jwt = std::get_if<config::JwtSessions>(&link);
      if (jwt == nullptr) continue;
      if (claims.issuer.empty()) claims.issuer = jwt->issuer;
      if (claims.audience.empty()) claims.audience = jwt->audience;
      if (claims.virtual_cluster.empty()) claims.virtual_cluster = endpoint.virtual_cluster;
      return true;
    }
    fail(fmt::format("endpoint '{}' does not take signed tokens (jwt)", options.endpoint));
    return false;
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

bool fill_lifetime(const TokenOptions& options, auth::SessionClaims& claims) {
  // Who keeps a file of opaque tokens ends one by removing its line; a signed one lives on.
  static constexpr config::KeyInfo kSigned{"--lifetime", "duration", "1s to 12h", "15m", ""};
  static constexpr config::KeyInfo kOpaque{"--lifetime", "duration", "1s to 8760h", "15m", ""};
  const config::Parsed<config::Millis> lifetime =
      config::parse_duration(options.lifetime, options.opaque ? kOpaque : kSigned);
  if (!lifetime.value) {
    fail("--lifetime: " + lifetime.problem + "; " + lifetime.remedy);
    return false;
  }
  claims.lifetime_seconds = static_cast<uint32_t>(lifetime.value->count() / 1000);
  return true;
}

int print_opaque(const auth::SessionClaims& claims) {
  const auth::MintedOpaque minted = auth::mint_opaque(claims);
  fmt::print("{}\n{}\n", minted.token.reveal(), minted.line);
  return 0;
}

int print_signed(const TokenOptions& options, auth::SessionClaims& claims) {
  claims.issuer = options.issuer;
  claims.audience = options.audience;
  if (!options.config_file.empty() && !fill_from_config(options, claims)) return 2;
  if (claims.issuer.empty() || claims.audience.empty()) {
    return fail("give --config FILE, or --issuer and --audience");
  }
  const auth::Minted minted = auth::mint_session(options.key_file, claims);
  if (!minted.error.empty()) return fail(minted.error);
  fmt::print("{}\n", minted.token.reveal());
  return 0;
}

}  // namespace

int token_command(const TokenOptions& options) {
  if (options.opaque != options.key_file.empty()) {
    return fail("give --key FILE, or --opaque for a token without a signature");
  }
  if (options.print_jwks) {
    return options.opaque ? fail("--print-jwks needs --key") : print_public_keys(options.key_file);
  }
  if (options.subject.empty() || (options.endpoint.empty() && !options.opaque)) {
    return fail("--endpoint and --subject are needed (or --print-jwks)");
  }
  auth::SessionClaims claims;
  if (!fill_lifetime(options, claims)) return 2;
  claims.endpoint = options.endpoint;
  claims.virtual_cluster = options.virtual_cluster;
  claims.subject = options.subject;
  claims.role = options.role;
  claims.log_context = options.log_context;
  claims.groups = options.groups;
  claims.issued_at = time(nullptr);
  return options.opaque ? print_opaque(claims) : print_signed(options, claims);
}

}  // namespace kg::server
