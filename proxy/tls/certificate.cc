#include "proxy/tls/certificate.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

#include "config/files.h"
#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/owned.h"
#include "proxy/tls/library_error.h"

namespace kg::tls {
namespace {

using Bio = Owned<BIO, &BIO_free>;
using Leaf = Owned<X509, &X509_free>;
using Key = Owned<EVP_PKEY, &EVP_PKEY_free>;

struct ChainFree {
  void operator()(STACK_OF(X509) * chain) const noexcept { sk_X509_pop_free(chain, &X509_free); }
};
using Chain = std::unique_ptr<STACK_OF(X509), ChainFree>;

// For longer than any process lives: nobody validates it, an end would only break things.
constexpr long kOwnCertificateSeconds = 10L * 365 * 24 * 3'600;

Bio reader_of(std::string_view text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  KG_ASSERT(bio != nullptr);
  return bio;
}

// OpenSSL would ask the terminal.
int no_passphrase_cb(char*, int, int, void*) noexcept { return -1; }

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

std::string address_text(const unsigned char* bytes, size_t size) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = size == 4 ? AF_INET : AF_INET6;
  if (size != 4 && size != 16) return "";
  inet_ntop(family, bytes, text.data(), text.size());
  return text.data();
}

// An address of version 6 has many spellings.
std::string canonical(std::string_view host) {
  if (!host.starts_with('[') || !host.ends_with(']')) return std::string(host);
  std::string inner(host.substr(1, host.size() - 2));
  in6_addr address{};
  if (inet_pton(AF_INET6, inner.c_str(), &address) != 1) return inner;
  return address_text(address.s6_addr, sizeof address.s6_addr);
}

void add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION, &X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  KG_ASSERT(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

Leaf make_own_leaf(EVP_PKEY* key) {
  Leaf leaf(X509_new());
  KG_ASSERT(leaf != nullptr && X509_set_version(leaf.get(), X509_VERSION_3) == 1);
  const Owned<BIGNUM, &BN_free> serial(BN_new());
  constexpr int kSerialBits = 120;  // below the 20 bytes of RFC 5280 section 4.1.2.2
  KG_ASSERT(BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
            BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(leaf.get())) != nullptr);
  constexpr long kClockSkewSeconds = 3'600;
  X509_gmtime_adj(X509_getm_notBefore(leaf.get()), -kClockSkewSeconds);
  X509_gmtime_adj(X509_getm_notAfter(leaf.get()), kOwnCertificateSeconds);
  X509_NAME* name = X509_get_subject_name(leaf.get());
  const auto* common_name = reinterpret_cast<const unsigned char*>("kernelgate");
  KG_ASSERT(
      X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
      X509_set_issuer_name(leaf.get(), name) == 1 && X509_set_pubkey(leaf.get(), key) == 1);
  add_extension(leaf.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(leaf.get(), NID_ext_key_usage, "serverAuth");
  add_extension(leaf.get(), NID_subject_alt_name, "DNS:kernelgate");
  KG_ASSERT(X509_sign(leaf.get(), key, EVP_sha256()) > 0);
  return leaf;
}

// False when the text ends in something that is no certificate.
bool read_chain(std::string_view text, Leaf& leaf, Chain& chain) {
  const Bio bio = reader_of(text);
  leaf.reset(PEM_read_bio_X509(bio.get(), nullptr, &no_passphrase_cb, nullptr));
  if (leaf == nullptr) return false;
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, &no_passphrase_cb, nullptr)) {
    KG_ASSERT(sk_X509_push(chain.get(), next) > 0);
  }
  return last_error_is_end_of_pem();
}

}  // namespace

struct Certificate::Handles {
  Leaf leaf;
  Chain chain{sk_X509_new_null()};
  Key key;
};

std::optional<CertificateText> CertificateText::read(const std::string& certificate_file,
                                                     const std::string& key_file,
                                                     std::string& error) {
  CertificateText out;
  out.file = certificate_file;
  out.key_file = key_file;
  for (const std::string& file : {certificate_file, key_file}) {
    config::FileText read = config::read_file(file, limits::kPemBytesMax);
    if (!read.text) {
      error = file + " " + read.problem;
      return std::nullopt;
    }
    if (file == certificate_file) out.chain = *read.text;
    if (file == key_file) out.key = Secret(std::move(*read.text));
  }
  return out;
}

CertificateText CertificateText::self_signed() {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  KG_ASSERT(key != nullptr);
  const Leaf leaf = make_own_leaf(key.get());
  const Bio chain_pem(BIO_new(BIO_s_mem()));
  const Bio key_pem(BIO_new(BIO_s_secmem()));
  KG_ASSERT(PEM_write_bio_X509(chain_pem.get(), leaf.get()) == 1 &&
            PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                     nullptr) == 1);
  CertificateText out;
  out.file = "self-signed";
  out.chain = text_of(chain_pem.get());
  out.key = Secret(text_of(key_pem.get()));
  return out;
}

Certificate::Certificate() : handles_(std::make_unique<Handles>()) {}
Certificate::~Certificate() = default;

std::unique_ptr<const Certificate> Certificate::parse(const CertificateText& text,
                                                      std::string& error) {
  forget_library_errors();
  std::unique_ptr<Certificate> made(new Certificate());
  Handles& handles = *made->handles_;
  if (!read_chain(text.chain, handles.leaf, handles.chain)) {
    error = text.file + " holds no usable certificate chain: " + library_reason();
    return nullptr;
  }
  forget_library_errors();
  const Bio key_pem = reader_of(text.key.reveal());
  handles.key.reset(PEM_read_bio_PrivateKey(key_pem.get(), nullptr, &no_passphrase_cb, nullptr));
  if (handles.key == nullptr ||
      X509_check_private_key(handles.leaf.get(), handles.key.get()) != 1) {
    error = text.key_file + " holds no usable key for " + text.file + ": " + library_reason();
    return nullptr;
  }
  forget_library_errors();
  made->is_own_ = text.is_own();
  made->read_names();
  return made;
}

void Certificate::read_names() {
  const Owned<GENERAL_NAMES, &GENERAL_NAMES_free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(handles_->leaf.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const unsigned char* bytes = ASN1_STRING_get0_data(value);
    const auto size = static_cast<size_t>(ASN1_STRING_length(value));
    names_.insert(type == GEN_IPADD ? address_text(bytes, size)
                                    : ascii::lower({reinterpret_cast<const char*>(bytes), size}));
  }
}

bool Certificate::covers(std::string_view host) const {
  if (is_own_) return true;
  const std::string name = canonical(host);
  if (names_.contains(name)) return true;
  const size_t dot = name.find('.');
  return dot != std::string::npos && dot != 0 && names_.contains("*" + name.substr(dot));
}

bool Certificate::present_in(ssl_st* ssl) const noexcept {
  SSL_certs_clear(ssl);
  return SSL_use_cert_and_key(ssl, handles_->leaf.get(), handles_->key.get(), handles_->chain.get(),
                              1) == 1;
}

bool Certificate::present_in(ssl_ctx_st* context) const noexcept {
  return SSL_CTX_use_cert_and_key(context, handles_->leaf.get(), handles_->key.get(),
                                  handles_->chain.get(), 1) == 1;
}

int64_t Certificate::not_after_s() const noexcept {
  tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(handles_->leaf.get()), &parts) != 1) return 0;
  return timegm(&parts);
}

}  // namespace kg::tls
