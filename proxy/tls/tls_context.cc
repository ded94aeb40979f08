#include "proxy/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/base/owned.h"
#include "proxy/tls/library_error.h"
#include "proxy/tls/protocols.h"
#include "proxy/tls/server_name.h"

namespace kg::tls {
namespace {

using Mode = config::ClientCertificateMode;

constexpr char kCiphers13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr char kGroups[] = "X25519:P-256";
constexpr int kSecurityLevel = 2;  // 112 bits: no SHA-1, no RSA below 2048 bits

// A session resumes only where this text is the same. The CA is part of it: clients of a CA that
// is no longer trusted must shake hands in full, and fail.
crypto::Sha256 session_context_of(const ListenerTls& wish) {
  const std::string head = "kernelgate listener " + std::to_string(wish.listener) + " clients " +
                           std::to_string(static_cast<int>(wish.clients.mode)) + " ";
  return crypto::sha256(head, wish.clients.ca);
}

// "*.b.c" of "a.b.c"; "" where no wildcard can stand for it (RFC 9525 section 6.3).
std::string wildcard_of(std::string_view name) {
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0) return "";
  return "*" + std::string(name.substr(dot));
}

// The announced certificate that a connection was shown hangs on its SSL.
void free_shown_cb(void*, void* shown, CRYPTO_EX_DATA*, int, long, void*) noexcept {
  const std::unique_ptr<AnnouncedCertificateRef> ends(static_cast<AnnouncedCertificateRef*>(shown));
}

int shown_index() noexcept {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_shown_cb);
  return index;
}

// Null: one of the listener's own.
const AnnouncedCertificate* shown_by(const SSL* ssl) noexcept {
  const auto* shown =
      static_cast<const AnnouncedCertificateRef*>(SSL_get_ex_data(ssl, shown_index()));
  return shown == nullptr ? nullptr : shown->get();
}

bool keep_shown(SSL* ssl, AnnouncedCertificateRef certificate) {
  auto* before = static_cast<AnnouncedCertificateRef*>(SSL_get_ex_data(ssl, shown_index()));
  if (before != nullptr) {  // of a ClientHello that was not enough
    *before = std::move(certificate);
    return true;
  }
  if (certificate == nullptr) return true;
  auto fresh = std::make_unique<AnnouncedCertificateRef>(std::move(certificate));
  if (SSL_set_ex_data(ssl, shown_index(), fresh.get()) != 1) return false;
  static_cast<void>(fresh.release());  // free_shown_cb() ends it
  return true;
}

}  // namespace

struct TlsContext::Callbacks {
  static const TlsContext& owner(const SSL* ssl) {
    return *static_cast<const TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  }

  // The choice among announced certificates stands before a ticket is looked at. Nothing else is
  // read so early, not even the name.
  static int client_hello_cb(SSL* ssl, int* alert, void*) noexcept {
    const unsigned char* bytes = nullptr;
    size_t size = 0;
    AnnouncedCertificateRef chosen;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) == 1) {
      const std::string_view extension(reinterpret_cast<const char*>(bytes), size);
      chosen = owner(ssl).announced_for(server_name_of(extension));
    }
    if (keep_shown(ssl, std::move(chosen))) return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }

  static int alpn_cb(SSL*, const unsigned char** out, unsigned char* out_size,
                     const unsigned char* offered, unsigned int offered_size, void*) noexcept {
    unsigned char* chosen = nullptr;
    const int found = SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11 - 1, offered,
                                            offered_size);
    if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
  }

  // Accepts every name, so that TLS 1.2 tickets carry it and a resumed connection knows it too.
  static int server_name_cb(SSL* ssl, int* alert, void*) noexcept {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const TlsContext& context = owner(ssl);
    const AnnouncedCertificate* announced = shown_by(ssl);
    const Certificate& chosen =
        announced != nullptr ? *announced->certificate : context.own_certificate_for(name);
    if (&chosen != context.certificates_.front().get() && !chosen.present_in(ssl)) {
      *alert = SSL_AD_INTERNAL_ERROR;
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
  }

  static int ticket_key_cb(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                           EVP_MAC_CTX* mac, int sealing) noexcept {
    const TicketKeys& keys = *owner(ssl).tickets_;
    if (sealing == 1) return keys.begin_seal(name, iv, cipher, mac) ? 1 : -1;
    switch (keys.begin_open(name, iv, cipher, mac)) {
      case TicketKeys::Found::kNone:
        return 0;  // a full handshake
      case TicketKeys::Found::kOld:
        return 2;  // resumes, and gets a new ticket
      case TicketKeys::Found::kFirst:
        // A ticket of TLS 1.3 is good for one connection, so the next one goes with it (RFC 8446
        // appendix C.4).
        return SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
    }
    return 0;
  }

  static int ticket_made_cb(SSL* ssl, void*) noexcept {
    const AnnouncedCertificate* shown = shown_by(ssl);
    const void* identity = shown == nullptr ? nullptr : shown->identity.data();
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), identity,
                                           shown == nullptr ? 0 : sizeof shown->identity);
  }

  // Was it given under the certificate that this handshake would show?
  static bool is_of_shown(const SSL* ssl, SSL_SESSION* session) noexcept {
    void* bytes = nullptr;
    size_t size = 0;
    if (SSL_SESSION_get0_ticket_appdata(session, &bytes, &size) != 1) return false;
    const AnnouncedCertificate* shown = shown_by(ssl);
    if (shown == nullptr) return size == 0;
    return size == sizeof shown->identity && std::memcmp(bytes, shown->identity.data(), size) == 0;
  }

  // A session is as good as the certificate that began it.
  static SSL_TICKET_RETURN ticket_opened_cb(SSL* ssl, SSL_SESSION* session, const unsigned char*,
                                            size_t, SSL_TICKET_STATUS status, void*) noexcept {
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
      return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    const X509* peer = SSL_SESSION_get0_peer(session);
    const bool expired = peer != nullptr && X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0;
    const bool missing = peer == nullptr && owner(ssl).requires_certificate_;
    if (expired || missing || !is_of_shown(ssl, session)) return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
  }
};

void TlsContext::ContextFree::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

std::shared_ptr<const TlsContext> TlsContext::make(const ListenerTls& wish, std::string& error,
                                                   CertificateSeatRef seat) {
  KG_ASSERT(!wish.certificates.empty() && wish.tickets != nullptr);
  forget_library_errors();
  auto made = std::make_shared<TlsContext>();
  made->seat_ = std::move(seat);
  made->context_.reset(SSL_CTX_new(TLS_server_method()));
  KG_ASSERT(made->context_ != nullptr);
  SSL_CTX_set_app_data(made->context_.get(), made.get());
  if (!made->apply_policy(wish, error) || !made->apply_client_policy(wish, error) ||
      !made->add_certificates(wish.certificates, error)) {
    return nullptr;
  }
  return made;
}

bool TlsContext::apply_policy(const ListenerTls& wish, std::string& error) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Idle connections hold no buffers; a chain is what the file says, not searched at each
  // handshake.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_security_level(context, kSecurityLevel);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, limits::kTlsSessionSeconds);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_alpn_select_cb(context, &Callbacks::alpn_cb, nullptr);
  if (seat_ != nullptr) SSL_CTX_set_client_hello_cb(context, &Callbacks::client_hello_cb, nullptr);
  // The macro of the same purpose is a C cast.
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(&Callbacks::server_name_cb));
  tickets_ = wish.tickets;
  const crypto::Sha256 session_context = session_context_of(wish);
  static_assert(sizeof session_context <= SSL_MAX_SID_CTX_LENGTH);
  const bool ok = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                  SSL_CTX_set_cipher_list(context, kCiphers12) == 1 &&
                  SSL_CTX_set_ciphersuites(context, kCiphers13) == 1 &&
                  SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
                  SSL_CTX_set_session_id_context(context, session_context.data(),
                                                 session_context.size()) == 1 &&
                  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &Callbacks::ticket_key_cb) == 1 &&
                  SSL_CTX_set_session_ticket_cb(context, &Callbacks::ticket_made_cb,
                                                &Callbacks::ticket_opened_cb, nullptr) == 1;
  if (!ok) error = "OpenSSL refuses the TLS policy: " + library_reason();
  return ok;
}

bool TlsContext::apply_client_policy(const ListenerTls& wish, std::string& error) {
  if (wish.clients.mode == Mode::kNone) return true;
  SSL_CTX* context = context_.get();
  requires_certificate_ = wish.clients.mode == Mode::kRequired;
  SSL_CTX_set_verify(
      context, SSL_VERIFY_PEER | (requires_certificate_ ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
      nullptr);
  SSL_CTX_set_verify_depth(context, limits::kClientChainMax);
  SSL_CTX_set_max_cert_list(context, limits::kClientChainBytesMax);
  const Owned<BIO, &BIO_free> pem(
      BIO_new_mem_buf(wish.clients.ca.data(), static_cast<int>(wish.clients.ca.size())));
  KG_ASSERT(pem != nullptr);
  int found = 0;
  for (;; ++found) {
    const Owned<X509, &X509_free> ca(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
    if (ca == nullptr) break;
    if (X509_check_ca(ca.get()) == 0) {
      error = wish.clients.file + " holds a certificate that is no CA";
      return false;
    }
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1 ||
        SSL_CTX_add_client_CA(context, ca.get()) != 1) {
      break;
    }
  }
  if (found > 0 && last_error_is_end_of_pem()) return true;
  error = wish.clients.file + " holds no usable CA certificates: " + library_reason();
  return false;
}

bool TlsContext::add_certificates(const std::vector<CertificateText>& texts, std::string& error) {
  for (const CertificateText& text : texts) {
    std::unique_ptr<const Certificate> certificate = Certificate::parse(text, error);
    if (certificate == nullptr) return false;
    for (const std::string& name : certificate->names()) {
      by_name_.emplace(name, certificate.get());
    }
    // A weak one is found here and not in a handshake.
    const Owned<SSL, &SSL_free> trial(SSL_new(context_.get()));
    KG_ASSERT(trial != nullptr);
    const bool is_first = certificates_.empty();
    if (!certificate->present_in(trial.get()) ||
        (is_first && !certificate->present_in(context_.get()))) {
      error = text.file + " cannot be served: " + library_reason();
      return false;
    }
    certificates_.push_back(std::move(certificate));
  }
  return true;
}

const Certificate& TlsContext::own_certificate_for(std::string_view server_name) const {
  const std::string name = ascii::lower(server_name);
  const auto exact = by_name_.find(name);
  if (exact != by_name_.end()) return *exact->second;
  const auto wildcard = by_name_.find(wildcard_of(name));
  return wildcard != by_name_.end() ? *wildcard->second : *certificates_.front();
}

AnnouncedCertificateRef TlsContext::announced_for(std::string_view server_name) const {
  if (server_name.empty()) return nullptr;
  const std::string name = ascii::lower(server_name);
  if (by_name_.contains(name)) return nullptr;
  const CertificateTable& table = *seat_->table;
  if (const AnnouncedCertificateRef* exact = table.find(name)) return *exact;
  const std::string wildcard = wildcard_of(name);
  if (wildcard.empty() || by_name_.contains(wildcard)) return nullptr;
  const AnnouncedCertificateRef* found = table.find(wildcard);
  return found == nullptr ? nullptr : *found;
}

std::string TlsContext::fault_of(const Certificate& certificate) {
  static const std::unique_ptr<SSL_CTX, ContextFree> trials([] {
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    KG_ASSERT(context != nullptr);
    SSL_CTX_set_security_level(context, kSecurityLevel);
    return context;
  }());
  forget_library_errors();
  const Owned<SSL, &SSL_free> trial(SSL_new(trials.get()));
  KG_ASSERT(trial != nullptr);
  return certificate.present_in(trial.get()) ? "" : "cannot be served: " + library_reason();
}

bool TlsContext::speaks_for(const SSL* ssl, std::string_view host) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr || ascii::equals_ignore_case(name, host)) return true;
  const AnnouncedCertificate* shown = shown_by(ssl);
  return shown != nullptr ? shown->speaks_for(host)
                          : Callbacks::owner(ssl).own_certificate_for(name).covers(host);
}

}  // namespace kg::tls
