#include "proxy/tls/tls_client_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
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

struct BioFree {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct X509Free {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
struct KeyFree {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using BioHandle = std::unique_ptr<BIO, BioFree>;
using X509Handle = std::unique_ptr<X509, X509Free>;

BioHandle reader_of(const std::string& text) {
  return BioHandle(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}
X509Handle next_certificate(BIO* reader) {
  return X509Handle(PEM_read_bio_X509(reader, nullptr, nullptr, nullptr));
}
// An encrypted key has no password here, and asks nobody for one.
int no_password(char* /*to*/, int /*size*/, int /*writes*/, void* /*data*/) noexcept { return 0; }

bool trust_text(SSL_CTX* context, const std::string& text) {
  const BioHandle reader = reader_of(text);
  bool any = false;
  while (const X509Handle one = next_certificate(reader.get())) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get()) != 1) return false;
    any = true;
  }
  if (any) ERR_clear_error();  // the end of the text is one
  return any;
}

bool show_chain_text(SSL_CTX* context, const std::string& text) {
  const BioHandle reader = reader_of(text);
  const X509Handle leaf = next_certificate(reader.get());
  if (leaf == nullptr || SSL_CTX_use_certificate(context, leaf.get()) != 1) return false;
  while (const X509Handle one = next_certificate(reader.get())) {
    if (SSL_CTX_add1_chain_cert(context, one.get()) != 1) return false;
  }
  ERR_clear_error();
  return true;
}

bool use_key_text(SSL_CTX* context, const std::string& text) {
  const BioHandle reader = reader_of(text);
  const std::unique_ptr<EVP_PKEY, KeyFree> key(
      PEM_read_bio_PrivateKey(reader.get(), nullptr, &no_password, nullptr));
  return key != nullptr && SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

// Reads what a name stands for: a text that came along, else a file.
class Loader {
 public:
  Loader(SSL_CTX* context, const ClientTlsFiles& files) : context_(context), files_(files) {}

  bool trust(const std::string& name) const {
    const std::string* text = text_of(name);
    return text != nullptr ? trust_text(context_, *text)
                           : SSL_CTX_load_verify_file(context_, name.c_str()) == 1;
  }
  bool show_chain(const std::string& name) const {
    const std::string* text = text_of(name);
    return text != nullptr ? show_chain_text(context_, *text)
                           : SSL_CTX_use_certificate_chain_file(context_, name.c_str()) == 1;
  }
  bool use_key(const std::string& name) const {
    const std::string* text = text_of(name);
    return text != nullptr
               ? use_key_text(context_, *text)
               : SSL_CTX_use_PrivateKey_file(context_, name.c_str(), SSL_FILETYPE_PEM) == 1;
  }

 private:
  const std::string* text_of(const std::string& name) const {
    const auto found = files_.texts.find(name);
    return found == files_.texts.end() ? nullptr : &found->second;
  }

  SSL_CTX* context_;
  const ClientTlsFiles& files_;
};

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
  const Loader loader(context, files);
  if (!loader.trust(trusted)) {
    error = trusted + " holds no usable certificates: " + library_reason();
    return nullptr;
  }
  if (files.certificate.empty()) return made;
  if (!loader.show_chain(files.certificate)) {
    error = files.certificate + " holds no usable certificate chain: " + library_reason();
    return nullptr;
  }
  if (!loader.use_key(files.private_key) || SSL_CTX_check_private_key(context) != 1) {
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
