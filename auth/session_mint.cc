#include "auth/session_mint.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <array>
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

constexpr std::string_view kOpaquePrefix = "kgt_";
constexpr size_t kOpaqueRandomBytes = 32;

std::string hex(const crypto::Sha256& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

struct Signer {
  std::unique_ptr<const Key> key;
  std::string kid;
  std::string error;
};

// Never asks at the terminal: OpenSSL's own callback would.
int no_passphrase_cb(char*, int, int, void*) noexcept { return -1; }

Signer load_signer(const std::string& path) {
  const ErrorQueueGuard guard;
  const KeyFile file = read_key_file(path);
  if (!file.error.empty()) return {nullptr, "", file.error};
  const std::string_view pem = file.text.reveal();
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    return {nullptr, "", path + " is encrypted: development keys have no passphrase"};
  }
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EVP_PKEY* handle = PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase_cb, nullptr);
  if (handle == nullptr) return {nullptr, "", path + " holds no private key in PEM"};
  Key::Made made = Key::adopt(handle, "");
  if (made.key == nullptr) return {nullptr, "", "the key of " + path + ' ' + made.fault};
  std::string kid = thumbprint(*made.key);
  if (kid.empty()) return {nullptr, "", "cannot read the public half of the key of " + path};
  return {std::move(made.key), std::move(kid), ""};
}

std::string claims_fault(const SessionClaims& claims) {
  if (claims.issuer.empty()) return "a session token needs an issuer";
  if (claims.audience.empty()) return "a session token needs an audience";
  if (claims.endpoint.empty()) return "a session token needs an endpoint";
  if (claims.subject.empty()) return "a session token needs a subject";
  if (claims.lifetime_seconds == 0 || claims.lifetime_seconds > limits::kSessionSecondsMax) {
    return "a session token lives 1 s to 12 h (43200 s)";
  }
  return "";
}

void add_text(std::string_view name, std::string_view value, std::string& json) {
  json += json.size() > 1 ? "," : "";
  ascii::json_quote(name, json);
  json += ':';
  ascii::json_quote(value, json);
}

// Those that every kind of session has.
void add_common(const SessionClaims& claims, std::string& json) {
  const int64_t expires_at = claims.issued_at + claims.lifetime_seconds;
  add_text("sub", claims.subject, json);
  if (!claims.endpoint.empty()) add_text("endpoint", claims.endpoint, json);
  json += R"(,"iat":)" + std::to_string(claims.issued_at);
  json += R"(,"exp":)" + std::to_string(expires_at);
  add_text("jti", crypto::random_uuid(), json);
  if (!claims.role.empty()) add_text("role", claims.role, json);
  if (!claims.log_context.empty()) add_text("log_context", claims.log_context, json);
  if (!claims.groups.empty()) {
    json += R"(,"groups":[)";
    for (size_t i = 0; i < claims.groups.size(); ++i) {
      json += i > 0 ? "," : "";
      ascii::json_quote(claims.groups[i], json);
    }
    json += ']';
  }
}

}  // namespace

Minted mint_session(const std::string& private_key_file, const SessionClaims& claims) {
  if (std::string fault = claims_fault(claims); !fault.empty()) return {{}, std::move(fault)};
  const Signer signer = load_signer(private_key_file);
  if (signer.key == nullptr) return {{}, signer.error};
  std::string header = "{";
  add_text("alg", algorithm_name(signer.key->algorithm()), header);
  add_text("kid", signer.kid, header);
  add_text("typ", "JWT", header);
  header += '}';
  std::string json = "{";
  add_text("iss", claims.issuer, json);
  add_text("aud", claims.audience, json);
  add_common(claims, json);
  json += '}';
  std::string token = ascii::base64url_encode(header) + '.' + ascii::base64url_encode(json);
  const std::optional<std::string> signature = signer.key->sign(token);
  if (!signature) return {{}, "the key of " + private_key_file + " does not sign"};
  token += '.' + ascii::base64url_encode(*signature);
  if (token.size() > limits::kCredentialBytesMax) {
    return {{}, "the claims make a token of more than 16 KiB"};
  }
  return {Secret(std::move(token)), ""};
}

MintedOpaque mint_opaque(const SessionClaims& claims) {
  std::array<char, kOpaqueRandomBytes> random{};
  crypto::random_bytes(random.data(), random.size());
  std::string token(kOpaquePrefix);
  token += ascii::base64url_encode({random.data(), random.size()});
  std::string line = "{";
  add_text("sha256", hex(crypto::sha256(token)), line);
  add_common(claims, line);
  return {Secret(std::move(token)), line + '}'};
}

PublicKeys public_jwks(const std::string& private_key_file) {
  const Signer signer = load_signer(private_key_file);
  if (signer.key == nullptr) return {"", signer.error};
  const std::string jwk = jwk_from_key(*signer.key, signer.kid);
  if (jwk.empty()) return {"", "cannot read the public half of the key of " + private_key_file};
  return {R"({"keys":[)" + jwk + "]}", ""};
}

}  // namespace kg::auth
