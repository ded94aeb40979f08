#include "routing/service_links.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "auth/delegated.h"
#include "auth/introspection.h"
#include "auth/key_file.h"
#include "config/names.h"
#include "proxy/base/crypto.h"

namespace kg::routing {
namespace {

// Rounded up: less than a second is not none.
uint32_t seconds(config::Millis time) {
  return static_cast<uint32_t>((time.count() + 999) / 1'000);
}

auth::RemoteTimes times_of(const config::RemoteAnswers& answers) {
  return {seconds(answers.believed), seconds(answers.refused)};
}

// What turns a token into a name: the same for all replicas of an endpoint, unless it has no token
// of its own.
Secret digest_key(const Secret& gateway_token) {
  static const std::string chance = crypto::random_hex(sizeof(crypto::Sha256));
  const crypto::Sha256 key = crypto::sha256(
      "kernelgate token digest", gateway_token.empty() ? chance : gateway_token.reveal());
  return Secret(std::string(key.begin(), key.end()));
}

// In place of an own gateway that has no pod: whose a token is cannot be known before it has one.
class NobodyToAsk final : public auth::Authenticator {
 public:
  auth::Proof proof() const noexcept override { return auth::Proof::kToken; }
  auth::Verdict judge(const auth::Evidence& /*evidence*/, int64_t /*now*/) const override {
    return auth::Verdict::refuses(
        {ErrorCode::kSessionUnknown, "the endpoint has no pod that could be asked", 0});
  }
};

}  // namespace

ServiceLinks::ServiceLinks(const config::Endpoint& endpoint, const Secret& gateway_token,
                           auth::Sources& sources, TlsContextBook& contexts, const Source& source,
                           std::vector<config::ConfigError>& errors)
    : endpoint_(endpoint),
      gateway_token_(gateway_token),
      sources_(sources),
      contexts_(contexts),
      source_(source),
      errors_(errors) {}

std::shared_ptr<auth::JwksSource> ServiceLinks::keys(const config::JwtSessions& jwt) {
  auth::JwksOptions options;
  options.url = jwt.keys_url->url;
  options.trust = trust(*jwt.keys_url);
  options.refresh_s = seconds(jwt.keys_refresh);
  options.stale_s = seconds(jwt.keys_stale);
  if (options.trust == nullptr) return nullptr;
  return sources_.jwks(std::move(options));
}

std::shared_ptr<auth::AlbKeys> ServiceLinks::keys(const config::AlbSessions& alb) {
  auth::AlbKeysOptions options;
  options.base = alb.keys.url;
  options.trust = trust(alb.keys);
  if (options.trust == nullptr) return nullptr;
  return sources_.alb_keys(std::move(options));
}

std::unique_ptr<const auth::Authenticator> ServiceLinks::link(
    const config::IntrospectionSessions& wanted, const std::vector<std::string>& claims) {
  auth::IntrospectionOptions options;
  options.rules.realm = wanted.realm;
  options.rules.issuer = wanted.issuer;
  options.rules.audience = wanted.audience;
  options.rules.scope = wanted.scope;
  options.rules.names = {wanted.subject_claim, wanted.endpoint_claim, wanted.groups_claim, claims};
  options.url = wanted.service.url;
  options.trust = trust(wanted.service);
  options.client_id = wanted.client_id;
  options.client_secret = read_line(wanted.client_secret_file, wanted.secret_place);
  options.deadline_ms = static_cast<uint32_t>(wanted.answers.timeout.count());
  if (options.trust == nullptr || options.client_secret.empty()) return nullptr;
  return std::make_unique<const auth::RemoteAuthenticator>(
      sources_.judge<auth::Introspection>(std::move(options), times_of(wanted.answers)));
}

std::unique_ptr<const auth::Authenticator> ServiceLinks::link(
    const config::DelegatedSessions& wanted) {
  auth::DelegatedOptions options;
  options.realm = wanted.realm.empty() ? endpoint_.id : wanted.realm;
  options.endpoint_id = endpoint_.id;
  options.subject_header = wanted.subject_header;
  options.groups_header = wanted.groups_header;
  options.digest_key = digest_key(gateway_token_);
  options.deadline_ms = static_cast<uint32_t>(wanted.answers.timeout.count());
  if (wanted.service) {
    options.url = wanted.service->url;
    options.trust = trust(*wanted.service);
  } else {
    const config::Gateway& gateway = endpoint_.gateway;
    if (gateway.pods.empty()) return std::make_unique<const NobodyToAsk>();
    const config::Address& pod = gateway.pods.front().address;
    const bool has_name = gateway.tls && !gateway.tls->server_name.empty();
    const std::string address = config::address_text(pod);
    options.to_own_gateway = true;
    options.connect_to = address;
    options.url.secure = gateway.tls.has_value();
    options.url.host = has_name ? gateway.tls->server_name : address.substr(0, address.rfind(':'));
    options.url.port = pod.port;
    options.url.target = wanted.gateway_path;
    options.trust = gateway.tls ? trust(gateway.tls->ca_file, gateway.tls->client_certificate,
                                        gateway.tls->place, true)
                                : std::make_shared<const fetch::Trust>();
  }
  if (options.trust == nullptr) return nullptr;
  return std::make_unique<const auth::RemoteAuthenticator>(
      sources_.judge<auth::Delegated>(std::move(options), times_of(wanted.answers)));
}

ServiceLinks::TrustRef ServiceLinks::trust(const std::string& ca_file,
                                           const std::optional<config::CertificatePair>& own,
                                           const config::Place& place, bool to_own_gateway) {
  tls::ClientTlsFiles files{ca_file, "", ""};
  if (own) {
    files.certificate = own->certificate;
    files.private_key = own->private_key;
  }
  std::string problem = contexts_.fault_of(source_.with_texts(files));
  if (!problem.empty()) {
    fail(place, std::move(problem), "give PEM files with the certificates of the CA");
    return nullptr;
  }
  auto out = std::make_shared<fetch::Trust>();
  out->outward = source_.texts != nullptr && !to_own_gateway;
  if (!ca_file.empty()) out->ca_pem = read(ca_file, place).reveal();
  if (own) {
    out->chain_pem = read(own->certificate, place).reveal();
    out->key_pem = read(own->private_key, place);
  }
  return out;
}

Secret ServiceLinks::read(const std::string& file, const config::Place& place) {
  if (const std::string* text = source_.text_of(file)) return Secret(*text);
  auth::KeyFile got = auth::read_key_file(file);
  if (!got.error.empty()) {
    fail(place, std::move(got.error), "check that the file exists and may be read");
  }
  return std::move(got.text);
}

Secret ServiceLinks::read_line(const std::string& file, const config::Place& place) {
  const Secret whole = read(file, place);
  std::string_view line = whole.reveal();
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  const bool printable =
      !line.empty() && std::ranges::all_of(line, [](char c) { return c >= ' ' && c < 0x7f; });
  if (printable) return Secret(std::string(line));
  if (!whole.empty()) {
    fail(place, "the file does not hold one line of text", "write the secret into it, on one line");
  }
  return {};
}

void ServiceLinks::fail(const config::Place& place, std::string problem, std::string remedy) {
  errors_.push_back({source_.name, place.line, place.key, std::move(problem), std::move(remedy)});
}

}  // namespace kg::routing
