#include "routing/compiler.h"

#include <utility>

#include "routing/endpoint_compiler.h"

namespace kg::routing {

Compiled compile(const config::Config& config, uint64_t version, metrics::EndpointSlots& slots,
                 auth::Sources& sources, PodBook& pods, size_t threads) {
  TlsContextBook contexts(threads);  // reads each file anew
  EndpointCompiler compiler(slots, sources, pods, contexts);
  const Source source{config.file, nullptr};
  Compiled compiled;
  std::vector<Route> routes;
  for (const config::Endpoint& wanted : config.endpoints) {
    const EndpointRef endpoint = compiler.compile(wanted, source);
    compiled.endpoints.push_back(endpoint);
    if (wanted.hosts.empty()) routes.push_back({"", wanted.path_prefix, endpoint});
    for (const std::string& host : wanted.hosts) {
      routes.push_back({host, wanted.path_prefix, endpoint});
    }
  }
  compiled.errors = compiler.take_errors();
  compiled.session_files = compiler.session_files();
  if (compiled.errors.empty()) {
    compiled.snapshot = std::make_shared<const RouteSnapshot>(version, std::move(routes));
  }
  return compiled;
}

}  // namespace kg::routing
