// EndpointCompiler: one endpoint's configuration in, what a worker needs of it out: reads the texts
// that it names (tokens, keys), builds the session verifier, finds its pods again.
//
// Owner:  whoever compiles several endpoints in a row: they share what they have in common, TLS
//         contexts and files of session keys. Thread: control (blocks on files).
// Errors: all at once, in the configuration's own form. The result is usable only without any.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "auth/session_file.h"
#include "auth/sources.h"
#include "config/config.h"
#include "metrics/endpoint_slots.h"
#include "proxy/base/secret.h"
#include "routing/endpoint.h"
#include "routing/source.h"

namespace kg::routing {

class EndpointCompiler {
 public:
  // `threads`: so many connect to pods, each with TLS contexts of its own (PodTls).
  EndpointCompiler(metrics::EndpointSlots& slots, auth::Sources& sources, PodBook& pods,
                   size_t threads)
      : slots_(slots), sources_(sources), pods_(pods), threads_(threads) {}

  // Not null, but of no use once there are errors. `sessions`: made before of the same, or null.
  std::shared_ptr<Endpoint> compile(const config::Endpoint& wanted, const Source& source,
                                    auth::SessionsRef sessions = nullptr);

  std::vector<config::ConfigError> take_errors() { return std::exchange(errors_, {}); }
  // What sessions rest on and may change on disk.
  std::vector<std::shared_ptr<auth::SessionFile>> session_files() const {
    return session_files_.all();
  }

 private:
  using TlsContextRef = std::shared_ptr<const tls::TlsClientContext>;

  std::vector<Pod> pods_of(const config::Endpoint& wanted);
  std::shared_ptr<const PodTls> pod_tls(const config::Gateway& gateway, const config::Pod& pod);
  const std::vector<TlsContextRef>& contexts_for(const config::GatewayTls& wanted);
  Secret gateway_token(const config::Gateway& gateway);
  void fail(const config::Place& place, std::string problem, std::string remedy);

  metrics::EndpointSlots& slots_;
  auth::Sources& sources_;
  PodBook& pods_;
  size_t threads_;
  std::map<tls::ClientTlsFiles, std::vector<TlsContextRef>> contexts_;
  auth::SessionFiles session_files_;
  Source source_;  // of the endpoint in hand
  std::vector<config::ConfigError> errors_;
};

}  // namespace kg::routing
