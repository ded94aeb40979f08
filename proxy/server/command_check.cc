#include <fmt/core.h>

#include "config/loader.h"
#include "proxy/server/commands.h"
#include "proxy/server/preparation.h"

namespace kg::server {
namespace {

size_t print(const std::vector<config::ConfigError>& errors) {
  size_t count = 0;
  for (const config::ConfigError& error : errors) {
    fmt::print(stderr, "{}: {}\n", error.warning ? "warning" : "error", config::format(error));
    count += error.warning ? 0 : 1;
  }
  return count;
}

}  // namespace

int check_command(const std::string& config_file) {
  const config::Loaded loaded = config::load_file(config_file);
  size_t errors = print(loaded.errors);
  if (loaded.config) {
    metrics::EndpointSlots slots(loaded.config->metrics_endpoints_max);
    fetch::Fetcher fetcher;  // without a thread: nobody is asked
    auth::Sources sources(fetcher);
    routing::PodBook pods;
    const Prepared prepared =
        prepare(*loaded.config, {}, {nullptr}, 1, OwnTls::make(), slots, sources, pods);
    errors += print(prepared.errors);
  }
  if (errors > 0) return 2;
  fmt::print("{}: ok, {} listener(s), {} endpoint(s)\n", config_file,
             loaded.config->listeners.size(), loaded.config->endpoints.size());
  return 0;
}

}  // namespace kg::server
