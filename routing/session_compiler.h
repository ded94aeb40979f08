// Compiles `sessions` of one endpoint: reads keys, builds chain and policy.
//
// Thread: control (blocks on files). What is wrong is added to `errors`, in the configuration's own
// form; the result is then not to be used.
#pragma once

#include <string>
#include <vector>

#include "auth/session_file.h"
#include "auth/sessions.h"
#include "auth/sources.h"
#include "config/config.h"
#include "routing/source.h"
#include "routing/tls_context_book.h"

namespace kg::routing {

// `gateway_token`: the endpoint's. `sources`: of before, so that what is known of issuers outlives
// a reload. `contexts`, `files`: what its endpoints share. `source`: of the configuration.
auth::SessionsRef compile_sessions(const config::Endpoint& wanted, const Secret& gateway_token,
                                   auth::Sources& sources, TlsContextBook& contexts,
                                   auth::SessionFiles& files, const Source& source,
                                   std::vector<config::ConfigError>& errors);

}  // namespace kg::routing
