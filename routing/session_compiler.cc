#include "routing/session_compiler.h"

#include <memory>
#include <utility>
#include <variant>

#include "auth/alb_authenticator.h"
#include "auth/certificate_authenticator.h"
#include "auth/jwt_authenticator.h"
#include "auth/opaque_authenticator.h"
#include "routing/policy_compiler.h"
#include "routing/service_links.h"

namespace kg::routing {
namespace {

// Makes one link of the chain from each kind of configuration; null if that failed.
class LinkMaker {
 public:
  // `claims`: what the policy asks for besides the usual ones.
  LinkMaker(ServiceLinks& services, auth::SessionFiles& files, std::vector<std::string> claims,
            const Source& source, std::vector<config::ConfigError>& errors)
      : services_(services),
        files_(files),
        claims_(std::move(claims)),
        source_(source),
        errors_(errors) {}

  std::unique_ptr<const auth::Authenticator> operator()(const config::JwtSessions& jwt) {
    std::shared_ptr<auth::KeySource> keys;
    if (jwt.keys_url) {
      keys = services_.keys(jwt);
    } else {
      keys = keys_of(jwt);
    }
    if (keys == nullptr) return nullptr;
    auth::JwtRules rules;
    rules.realm = jwt.realm.empty() ? jwt.issuer : jwt.realm;
    rules.issuer = jwt.issuer;
    rules.audience = jwt.audience;
    rules.names = {jwt.subject_claim, jwt.endpoint_claim, jwt.groups_claim, claims_};
    if (!jwt.virtual_cluster_claim.empty()) {
      rules.names.virtual_cluster = jwt.virtual_cluster_claim;
      rules.names.needs_virtual_cluster = true;
    }
    for (const std::string& name : jwt.algorithms) {
      if (const auto algorithm = auth::algorithm_named(name))
        rules.algorithms.push_back(*algorithm);
    }
    return std::make_unique<const auth::JwtAuthenticator>(std::move(rules), std::move(keys));
  }

  std::unique_ptr<const auth::Authenticator> operator()(const config::OpaqueSessions& opaque) {
    std::string problem;
    std::shared_ptr<auth::OpaqueFile> file = files_.opaque(opaque.file, problem);
    if (file == nullptr) {
      fail(opaque.place, std::move(problem),
           "write one JSON object a line (`kernelgate token --opaque` makes them)");
      return nullptr;
    }
    return std::make_unique<const auth::OpaqueAuthenticator>(opaque.realm, std::move(file));
  }

  std::unique_ptr<const auth::Authenticator> operator()(const config::AlbSessions& alb) {
    std::shared_ptr<auth::AlbKeys> keys = services_.keys(alb);
    if (keys == nullptr) return nullptr;
    auth::AlbRules rules;
    rules.realm = alb.realm;
    rules.signers = alb.signers;
    rules.client = alb.client;
    rules.issuer = alb.issuer;
    rules.names = {alb.subject_claim, alb.endpoint_claim, alb.groups_claim, claims_};
    return std::make_unique<const auth::AlbAuthenticator>(std::move(rules), std::move(keys));
  }

  std::unique_ptr<const auth::Authenticator> operator()(const config::IntrospectionSessions& link) {
    return services_.link(link, claims_);
  }
  std::unique_ptr<const auth::Authenticator> operator()(const config::DelegatedSessions& link) {
    return services_.link(link);
  }

  std::unique_ptr<const auth::Authenticator> operator()(
      const config::CertificateSessions& certificate) {
    using Name = config::CertificateName;
    auth::CertificateRules rules;
    rules.realm = certificate.realm;
    if (certificate.subject == Name::kUri) rules.name = &PeerCertificate::uri;
    if (certificate.subject == Name::kEmail) rules.name = &PeerCertificate::email;
    if (certificate.subject == Name::kDns) rules.name = &PeerCertificate::dns;
    return std::make_unique<const auth::CertificateAuthenticator>(std::move(rules));
  }

 private:
  std::shared_ptr<auth::KeySource> keys_of(const config::JwtSessions& jwt) {
    std::string problem;
    std::shared_ptr<auth::KeySource> keys;
    if (const std::string* text = source_.text_of(jwt.keys_file)) {
      auth::KeySet::Loaded loaded = auth::KeySet::from_text(*text);
      problem = std::move(loaded.error);
      if (loaded.keys != nullptr) keys = std::make_shared<auth::HeldKeys>(std::move(loaded.keys));
    } else {
      keys = files_.keys(jwt.keys_file, problem);
    }
    if (keys == nullptr) {
      fail(
          jwt.place, std::move(problem),
          "write a JWK Set with public keys (`kernelgate token --key KEY --print-jwks` makes one)");
    }
    return keys;
  }

  void fail(const config::Place& place, std::string problem, std::string remedy) {
    errors_.push_back({source_.name, place.line, place.key, std::move(problem), std::move(remedy)});
  }

  ServiceLinks& services_;
  auth::SessionFiles& files_;
  std::vector<std::string> claims_;
  const Source& source_;
  std::vector<config::ConfigError>& errors_;
};

}  // namespace

auth::SessionsRef compile_sessions(const config::Endpoint& wanted, const Secret& gateway_token,
                                   auth::Sources& sources, TlsContextBook& contexts,
                                   auth::SessionFiles& files, const Source& source,
                                   std::vector<config::ConfigError>& errors) {
  ServiceLinks services(wanted, gateway_token, sources, contexts, source, errors);
  auth::Policy policy = compile_policy(wanted);
  LinkMaker make(services, files, policy.claims_wanted(), source, errors);
  auth::Sessions::Chain chain;
  for (const config::Authenticator& link : wanted.sessions.authenticators) {
    if (auto made = std::visit(make, link)) chain.push_back(std::move(made));
  }
  return std::make_shared<const auth::Sessions>(std::move(chain), std::move(policy));
}

}  // namespace kg::routing
