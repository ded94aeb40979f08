// EndpointCompiler: one endpoint's configuration in, what a worker needs of it out: reads the texts
// that it names (tokens, keys), builds the session verifier, finds its pods again.
//
// Owner:  whoever compiles several endpoints in a row: they share their files of session keys.
// Thread: control (blocks on files).
// Errors: all at once, in the configuration's own form. The result is usable only without any.
#pragma once

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
#include "routing/tls_context_book.h"

namespace kg::routing {

class EndpointCompiler {
 public:
  EndpointCompiler(metrics::EndpointSlots& slots, auth::Sources& sources, PodBook& pods,
                   TlsContextBook& contexts)
      : slots_(slots), sources_(sources), pods_(pods), contexts_(contexts) {}

  // Not null, but of no use once there are errors. `sessions`: made before of the same, or null.
  std::shared_ptr<Endpoint> compile(const config::Endpoint& wanted, const Source& source,
                                    auth::SessionsRef sessions = nullptr);

  std::vector<config::ConfigError> take_errors() { return std::exchange(errors_, {}); }
  // What sessions rest on and may change on disk.
  std::vector<std::shared_ptr<auth::SessionFile>> session_files() const {
    return session_files_.all();
  }

 private:
  using ContextsRef = std::shared_ptr<const TlsContextBook::Contexts>;

  std::vector<Pod> pods_of(const config::Endpoint& wanted);
  static std::shared_ptr<const PodTls> pod_tls(const config::Gateway& gateway,
                                               const config::Pod& pod, const ContextsRef& contexts);
  ContextsRef contexts_of(const config::Gateway& gateway);  // null: plain, or not usable
  Secret gateway_token(const config::Gateway& gateway);
  void fail(const config::Place& place, std::string problem, std::string remedy);

  metrics::EndpointSlots& slots_;
  auth::Sources& sources_;
  PodBook& pods_;
  TlsContextBook& contexts_;
  auth::SessionFiles session_files_;
  Source source_;  // of the endpoint in hand
  std::vector<config::ConfigError> errors_;
};

}  // namespace kg::routing
