#include "auth/session_signer.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <array>
#include <set>
#include <utility>

#include "auth/jwk.h"
#include "auth/key.h"
#include "auth/key_file.h"
#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/base/owned.h"

namespace kg::auth {
namespace {

using Bio = Owned<BIO, &BIO_free>;

// Never asks at the terminal: OpenSSL's own callback would.
int no_passphrase_cb(char*, int, int, void*) noexcept { return -1; }

std::string claims_fault(const SessionClaims& claims) {
  if (claims.issuer.empty()) return "a session token needs an issuer";
  if (claims.audience.empty()) return "a session token needs an audience";
  if (claims.endpoint.empty()) return "a session token needs an endpoint";
  if (claims.subject.empty()) return "a session token needs a subject";
  if (claims.lifetime_seconds == 0 || claims.lifetime_seconds > limits::kSessionSecondsMax) {
    return "a session token lives 1 s to 12 h (43200 s)";
  }
  // A member that stands twice is refused by whoever reads it (auth/strict_json.h).
  const std::array<std::string_view, 11> all{"iss",
                                             "aud",
                                             "iat",
                                             "exp",
                                             "jti",
                                             "role",
                                             "log_context",
                                             claims.names.subject,
                                             claims.names.endpoint,
                                             claims.names.virtual_cluster,
                                             claims.names.groups};
  if (std::set<std::string_view>(all.begin(), all.end()).size() != all.size()) {
    return "two claims of a session token have one name";
  }
  return "";
}

void add_text(std::string_view name, std::string_view value, std::string& json) {
  json += json.size() > 1 ? "," : "";
  ascii::json_quote(name, json);
  json += ':';
  ascii::json_quote(value, json);
}

}  // namespace

void append_common_claims(const SessionClaims& claims, std::string& json) {
  const int64_t expires_at = claims.issued_at + claims.lifetime_seconds;
  add_text(claims.names.subject, claims.subject, json);
  if (!claims.endpoint.empty()) add_text(claims.names.endpoint, claims.endpoint, json);
  if (!claims.virtual_cluster.empty()) {
    add_text(claims.names.virtual_cluster, claims.virtual_cluster, json);
  }
  json += R"(,"iat":)" + std::to_string(claims.issued_at);
  json += R"(,"exp":)" + std::to_string(expires_at);
  add_text("jti", claims.token_id.empty() ? crypto::random_uuid() : claims.token_id, json);
  if (!claims.role.empty()) add_text("role", claims.role, json);
  if (!claims.log_context.empty()) add_text("log_context", claims.log_context, json);
  if (claims.groups.empty()) return;
  json += ',';
  ascii::json_quote(claims.names.groups, json);
  json += ":[";
  for (size_t i = 0; i < claims.groups.size(); ++i) {
    json += i > 0 ? "," : "";
    ascii::json_quote(claims.groups[i], json);
  }
  json += ']';
}

SessionSigner::SessionSigner() = default;
SessionSigner::~SessionSigner() = default;

const std::string& SessionSigner::kid() const noexcept { return keys_.front()->kid(); }
Algorithm SessionSigner::algorithm() const noexcept { return keys_.front()->algorithm(); }

SessionSigner::Loaded SessionSigner::from_file(const std::string& path) {
  const ErrorQueueGuard guard;
  const KeyFile file = read_key_file(path);
  if (!file.error.empty()) return {nullptr, file.error};
  const std::string_view pem = file.text.reveal();
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    return {nullptr, path + " is encrypted: a key that signs sessions has no passphrase"};
  }
  const std::shared_ptr<SessionSigner> signer(new SessionSigner);
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (EVP_PKEY* handle =
             PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase_cb, nullptr)) {
    Key::Made bare = Key::adopt(handle, "");
    if (bare.key == nullptr) return {nullptr, "the key of " + path + ' ' + bare.fault};
    EVP_PKEY_up_ref(handle);
    Key::Made made = Key::adopt(handle, thumbprint(*bare.key));
    const std::string jwk = made.key == nullptr ? "" : jwk_from_key(*made.key, made.key->kid());
    if (jwk.empty() || made.key->kid().empty()) {
      return {nullptr, "cannot read the public half of the key of " + path};
    }
    for (const auto& before : signer->keys_) {
      if (before->kid() == made.key->kid()) return {nullptr, path + " holds a key twice"};
    }
    signer->public_jwks_ += (signer->keys_.empty() ? R"({"keys":[)" : ",") + jwk;
    signer->keys_.push_back(std::move(made.key));
    if (signer->keys_.size() > kSigningKeysMax) return {nullptr, path + " has more than 4 keys"};
  }
  if (signer->keys_.empty()) return {nullptr, path + " holds no private key in PEM"};
  // Whoever stopped at a broken key would publish fewer than were meant.
  size_t begun = 0;
  for (size_t at = pem.find("PRIVATE KEY-----"); at != std::string_view::npos;
       at = pem.find("PRIVATE KEY-----", at + 1)) {
    ++begun;
  }
  if (begun != 2 * signer->keys_.size()) return {nullptr, path + " has a key that cannot be read"};
  signer->public_jwks_ += "]}";
  return {signer, ""};
}

Minted SessionSigner::sign(const SessionClaims& claims) const {
  if (std::string fault = claims_fault(claims); !fault.empty()) return {{}, std::move(fault)};
  std::string header = "{";
  add_text("alg", algorithm_name(algorithm()), header);
  add_text("kid", kid(), header);
  add_text("typ", "JWT", header);
  header += '}';
  std::string json = "{";
  add_text("iss", claims.issuer, json);
  add_text("aud", claims.audience, json);
  append_common_claims(claims, json);
  json += '}';
  std::string token = ascii::base64url_encode(header) + '.' + ascii::base64url_encode(json);
  const std::optional<std::string> signature = keys_.front()->sign(token);
  if (!signature) return {{}, "the key of session tokens does not sign"};
  token += '.' + ascii::base64url_encode(*signature);
  if (token.size() > limits::kCredentialBytesMax) {
    return {{}, "the claims make a token of more than 16 KiB"};
  }
  return {Secret(std::move(token)), ""};
}

}  // namespace kg::auth
