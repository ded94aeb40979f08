#include "proxy/tls/peer_certificate.h"

#include <openssl/bio.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/base/owned.h"

namespace kg::tls {
namespace {

constexpr size_t kIdentityBytesMax = 256;  // as any subject of a session

std::string_view text_of(const ASN1_STRING* value) noexcept {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<size_t>(ASN1_STRING_length(value))};
}

// What could be read in two ways (a NUL, another script's letters) identifies nobody.
bool is_identity(std::string_view text, char least) noexcept {
  return !text.empty() && text.size() <= kIdentityBytesMax && text.front() != ' ' &&
         text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [least](char c) { return c >= least && c < 0x7f; });
}

std::string text_in(BIO* bio) {
  char* bytes = nullptr;
  const auto size = static_cast<size_t>(BIO_get_mem_data(bio, &bytes));
  return {bytes, size};
}

std::string subject_text(const X509_NAME* subject) {
  const Owned<BIO, &BIO_free> bio(BIO_new(BIO_s_mem()));
  KG_ASSERT(bio != nullptr);
  // Control characters and separators escaped, UTF-8 as it is.
  constexpr unsigned long kForm =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  X509_NAME_print_ex(bio.get(), subject, 0, kForm);
  std::string text = text_in(bio.get());
  if (text.size() > limits::kClientSubjectBytesMax) text.resize(limits::kClientSubjectBytesMax);
  return text;
}

std::string only_common_name(const X509_NAME* subject) {
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return "";
  const Owned<BIO, &BIO_free> bio(BIO_new(BIO_s_mem()));
  KG_ASSERT(bio != nullptr);
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  // Letters of any encoding as UTF-8, nothing escaped.
  if (ASN1_STRING_print_ex(bio.get(), value, ASN1_STRFLGS_UTF8_CONVERT) < 0) return "";
  std::string text = text_in(bio.get());
  return is_identity(text, ' ') ? text : "";
}

// The only name of each of the kinds that `out` has.
void read_alternative_names(const X509* certificate, PeerCertificate& out) {
  struct Kind {
    int type;
    std::string PeerCertificate::*name;
    int count = 0;
  };
  std::array<Kind, 3> kinds{{{GEN_URI, &PeerCertificate::uri},
                             {GEN_EMAIL, &PeerCertificate::email},
                             {GEN_DNS, &PeerCertificate::dns}}};
  // Null as well if the extension stands there twice.
  const Owned<GENERAL_NAMES, &GENERAL_NAMES_free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    for (Kind& kind : kinds) {
      if (kind.type == type && ++kind.count == 1) out.*kind.name = text_of(value);
    }
  }
  for (const Kind& kind : kinds) {
    std::string& name = out.*kind.name;
    if (kind.count != 1 || !is_identity(name, '!')) name.clear();
  }
}

int64_t seconds_of(const ASN1_TIME* time) noexcept {
  tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

}  // namespace

PeerCertificate read_peer_certificate(const x509_st* certificate) {
  PeerCertificate out;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  KG_ASSERT(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1);
  out.fingerprint = crypto::hex({reinterpret_cast<const char*>(digest.data()), size});
  const X509_NAME* subject = X509_get_subject_name(certificate);
  out.subject = subject_text(subject);
  out.common_name = only_common_name(subject);
  read_alternative_names(certificate, out);
  out.not_after = seconds_of(X509_get0_notAfter(certificate));
  return out;
}

}  // namespace kg::tls
