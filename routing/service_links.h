// ServiceLinks: what an endpoint's authenticators need from the network, made from its
// configuration: whom to trust, keys by URL, services that are asked.
//
// Owner:  compile_sessions(), for one endpoint. Thread: control (blocks on files). What is wrong is
//         added to `errors`; the result is then null.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/authenticator.h"
#include "auth/sources.h"
#include "config/config.h"
#include "proxy/base/secret.h"
#include "routing/source.h"
#include "routing/tls_context_book.h"

namespace kg::routing {

class ServiceLinks {
 public:
  // `gateway_token`: the endpoint's, empty if it has none. `source`: of the configuration.
  ServiceLinks(const config::Endpoint& endpoint, const Secret& gateway_token,
               auth::Sources& sources, TlsContextBook& contexts, const Source& source,
               std::vector<config::ConfigError>& errors);

  std::shared_ptr<auth::JwksSource> keys(const config::JwtSessions& jwt);
  std::shared_ptr<auth::AlbKeys> keys(const config::AlbSessions& alb);
  // `claims`: what the policy asks for besides the usual ones.
  std::unique_ptr<const auth::Authenticator> link(const config::IntrospectionSessions& wanted,
                                                  const std::vector<std::string>& claims);
  std::unique_ptr<const auth::Authenticator> link(const config::DelegatedSessions& wanted);

 private:
  using TrustRef = std::shared_ptr<const fetch::Trust>;
  // Null if a file cannot be used. What was announced may not ask this machine or its link.
  TrustRef trust(const std::string& ca_file, const std::optional<config::CertificatePair>& own,
                 const config::Place& place, bool to_own_gateway = false);
  TrustRef trust(const config::Service& service) {
    return trust(service.ca_file, std::nullopt, service.ca_place);
  }
  // Empty after a problem.
  Secret read(const std::string& file, const config::Place& place);
  Secret read_line(const std::string& file, const config::Place& place);
  void fail(const config::Place& place, std::string problem, std::string remedy);

  const config::Endpoint& endpoint_;
  const Secret& gateway_token_;
  auth::Sources& sources_;
  TlsContextBook& contexts_;
  const Source& source_;
  std::vector<config::ConfigError>& errors_;
};

}  // namespace kg::routing
