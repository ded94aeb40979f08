#include "proxy/tls/tls_client_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "proxy/base/assert.h"
#include "proxy/tls/library_error.h"
#include "proxy/tls/protocols.h"
#include "proxy/tls/tls_client_stream.h"

namespace kg::tls {
namespace {

// One file, read now: OpenSSL's own default is a folder that a handshake would read from.
constexpr char kSystemCaFile[] = "/etc/ssl/certs/ca-certificates.crt";

bool apply_policy(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // idle connections hold no buffers
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // Sessions are kept where their peer is known: TlsPeer.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, &TlsClientStream::new_session_cb);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers12) == 1 &&
         SSL_CTX_set_alpn_protos(context, kHttp11, sizeof kHttp11 - 1) == 0;  // 0 is success here
}

}  // namespace

void TlsClientContext::ContextFree::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

std::shared_ptr<const TlsClientContext> TlsClientContext::make(const ClientTlsFiles& files,
                                                               std::string& error) {
  auto made = std::make_shared<TlsClientContext>();
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = made->context_.get();
  KG_ASSERT(context != nullptr);
  ERR_clear_error();
  if (!apply_policy(context)) {
    error = "OpenSSL refuses the TLS policy: " + library_reason();
    return nullptr;
  }
  const std::string trusted = files.ca_file.empty() ? kSystemCaFile : files.ca_file;
  if (SSL_CTX_load_verify_file(context, trusted.c_str()) != 1) {
    error = trusted + " holds no usable certificates: " + library_reason();
    return nullptr;
  }
  if (files.certificate.empty()) return made;
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
    error = files.certificate + " holds no usable certificate chain: " + library_reason();
    return nullptr;
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    error = files.private_key + " holds no usable key for " + files.certificate + ": " +
            library_reason();
    return nullptr;
  }
  return made;
}

SslHandle TlsClientContext::new_ssl(const PeerName& peer) const {
  SslHandle ssl(SSL_new(context_.get()));
  KG_ASSERT(ssl != nullptr);
  SSL_set_connect_state(ssl.get());
  // Names stand in subjectAltName alone (RFC 9525 section 6.3), and "*" for one whole label.
  SSL_set_hostflags(ssl.get(),
                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (peer.is_address) {
    KG_ASSERT(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), peer.text.c_str()) == 1);
    return ssl;
  }
  KG_ASSERT(SSL_set1_host(ssl.get(), peer.text.c_str()) == 1);
  // The macro of the same purpose is a C cast.
  std::string name = peer.text;
  KG_ASSERT(SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                     name.data()) == 1);
  return ssl;
}

}  // namespace kg::tls
