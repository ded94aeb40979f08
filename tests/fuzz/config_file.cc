// A configuration file: a whole configuration within its limits, or errors that can be acted on.
#include <variant>

#include "config/loader.h"
#include "config/problems.h"
#include "config/utf8.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

void check(const config::ConfigError& error, int lines) {
  KG_ASSERT(error.line >= 0 && error.line <= lines);
  KG_ASSERT(!error.problem.empty() && !error.remedy.empty());
  // One line on the operator's terminal, without what the file may have brought in.
  KG_ASSERT(config::is_printable_utf8(config::format(error), config::LineBreaks::kRefuse));
}

void check(const config::Config& config) {
  KG_ASSERT(!config.listeners.empty() && config.listeners.size() <= 16);
  for (const config::Listener& listener : config.listeners) {
    KG_ASSERT(!listener.certificates.empty() && !listener.address.host.empty());
  }
  KG_ASSERT(!config.endpoints.empty());
  for (const config::Endpoint& endpoint : config.endpoints) {
    KG_ASSERT(!endpoint.id.empty() && endpoint.id.size() <= 64);
    KG_ASSERT(!endpoint.hosts.empty() || !endpoint.path_prefix.empty());
    KG_ASSERT(endpoint.path_prefix.empty() || endpoint.path_prefix.front() == '/');
    KG_ASSERT(!endpoint.path_prefix.ends_with('/'));
    KG_ASSERT(!endpoint.gateway.pods.empty() && endpoint.gateway.pods[0].address.port != 0);
    KG_ASSERT(!endpoint.sessions.authenticators.empty());
    for (const config::Authenticator& link : endpoint.sessions.authenticators) {
      const auto* jwt = std::get_if<config::JwtSessions>(&link);
      if (jwt == nullptr) continue;
      KG_ASSERT(!jwt->issuer.empty() && !jwt->audience.empty());
      KG_ASSERT(jwt->keys_file.empty() == jwt->keys_url.has_value());
    }
  }
}

}  // namespace

void run(std::string_view input) {
  const config::Loaded loaded = config::load_text(input, "fuzz.yaml");
  const auto lines = static_cast<int>(std::count(input.begin(), input.end(), '\n')) +
                     static_cast<int>(std::count(input.begin(), input.end(), '\r')) + 1;
  bool wrong = false;
  for (const config::ConfigError& error : loaded.errors) {
    check(error, lines);
    wrong = wrong || !error.warning;
  }
  KG_ASSERT(loaded.config.has_value() != wrong);
  KG_ASSERT(loaded.errors.size() <= config::kProblemsMax + 1);
  if (loaded.config) check(*loaded.config);
}

}  // namespace kg::fuzz
