#include "proxy/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <string_view>

#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/owned.h"

namespace kg::tls {
namespace {

constexpr char kCiphers12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr char kCiphers13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr char kGroups[] = "X25519:P-256";
constexpr unsigned char kSessionContext[] = "kernelgate";
constexpr std::string_view kAlpn("\x08http/1.1", 9);

std::string library_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

int alpn_cb(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
            unsigned int offered_size, void*) noexcept {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(kAlpn.data()),
                            static_cast<unsigned int>(kAlpn.size()), offered, offered_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

bool apply_policy(SSL_CTX* context, const TicketKeys& tickets) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // idle connections hold no buffers
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_alpn_select_cb(context, &alpn_cb, nullptr);
  auto keys = tickets.bytes;
  const bool ok =
      SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(context, kCiphers12) == 1 &&
      SSL_CTX_set_ciphersuites(context, kCiphers13) == 1 &&
      SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
      SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1) == 1 &&
      SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), static_cast<long>(keys.size())) == 1;
  explicit_bzero(keys.data(), keys.size());
  return ok;
}

}  // namespace

std::string library_version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

TicketKeys TicketKeys::random() {
  TicketKeys keys{};
  crypto::random_bytes(keys.bytes.data(), keys.bytes.size());
  return keys;
}

void TlsContext::ContextFree::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

std::shared_ptr<const TlsContext> TlsContext::make(
    const std::vector<CertificateFiles>& certificates, const TicketKeys& tickets,
    std::string& error) {
  KG_ASSERT(!certificates.empty());
  auto made = std::make_shared<TlsContext>();
  for (const CertificateFiles& files : certificates) {
    if (!made->add_certificate(files, tickets, error)) return nullptr;
  }
  SSL_CTX* first = made->default_context();
  // The macro of the same purpose is a C cast.
  SSL_CTX_callback_ctrl(first, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(&TlsContext::server_name_cb));
  SSL_CTX_set_tlsext_servername_arg(first, made.get());
  return made;
}

bool TlsContext::add_certificate(const CertificateFiles& files, const TicketKeys& tickets,
                                 std::string& error) {
  ContextHandle context(SSL_CTX_new(TLS_server_method()));
  KG_ASSERT(context != nullptr);
  if (!apply_policy(context.get(), tickets)) {
    error = "OpenSSL refuses the TLS policy: " + library_reason();
    return false;
  }
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    error = files.certificate + " holds no usable certificate chain: " + library_reason();
    return false;
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.private_key.c_str(), SSL_FILETYPE_PEM) !=
          1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    error = files.private_key + " holds no usable key for " + files.certificate + ": " +
            library_reason();
    return false;
  }
  index_names(context.get());
  contexts_.push_back(std::move(context));
  return true;
}

void TlsContext::index_names(ssl_ctx_st* context) {
  X509* certificate = SSL_CTX_get0_certificate(context);
  Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_DNS) continue;
    const std::string_view name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                static_cast<size_t>(ASN1_STRING_length(value)));
    by_name_.emplace(ascii::lower(name), context);
  }
}

ssl_ctx_st* TlsContext::find(const std::string& name) const {
  const auto exact = by_name_.find(name);
  if (exact != by_name_.end()) return exact->second;
  const size_t dot = name.find('.');  // a wildcard stands for one label (RFC 6125 section 6.4.3)
  if (dot == std::string::npos) return nullptr;
  const auto wildcard = by_name_.find("*" + name.substr(dot));
  return wildcard == by_name_.end() ? nullptr : wildcard->second;
}

int TlsContext::server_name_cb(ssl_st* ssl, int*, void* self) noexcept {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const auto* context = static_cast<const TlsContext*>(self);
  ssl_ctx_st* found = context->find(ascii::lower(name));
  if (found == nullptr) return SSL_TLSEXT_ERR_NOACK;
  if (found != context->default_context()) SSL_set_SSL_CTX(ssl, found);
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace kg::tls
