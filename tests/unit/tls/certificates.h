// Certificates made for one test run, as files of a temporary folder.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "proxy/base/owned.h"
#include "proxy/tls/tls_context.h"

namespace kg::tls {

struct CertificateFiles {
  std::string certificate;
  std::string private_key;
};

// One listener's certificates, read from these files.
inline ListenerTls listener_of(const std::vector<CertificateFiles>& files,
                               std::shared_ptr<const TicketKeys> tickets = TicketKeys::random()) {
  ListenerTls listener;
  listener.tickets = std::move(tickets);
  for (const CertificateFiles& pair : files) {
    std::string error;
    auto text = CertificateText::read(pair.certificate, pair.private_key, error);
    EXPECT_TRUE(text) << error;
    if (text) listener.certificates.push_back(std::move(*text));
  }
  return listener;
}

class CertificateFolder {
 public:
  CertificateFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "kg-tls-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~CertificateFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  CertificateFolder(const CertificateFolder&) = delete;
  CertificateFolder& operator=(const CertificateFolder&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }

  // Self-signed; `common_name` is for the test to recognise, `names` is the subjectAltName
  // ("DNS:a.test,DNS:*.b.test"), "" for none.
  CertificateFiles make(const std::string& common_name, const std::string& names,
                        const std::string& type = "EC") const {
    const size_t bits = type == "RSA-1024" ? 1024 : 2048;
    const Owned<EVP_PKEY, EVP_PKEY_free> key(
        type == "EC" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                     : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
    const Owned<X509, X509_free> certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(certificate.get(), name);
    if (!names.empty()) {
      const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
          X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
      X509_add_ext(certificate.get(), extension.get(), -1);
    }
    EXPECT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);

    const CertificateFiles files{path(common_name + ".crt"), path(common_name + ".key")};
    const Owned<std::FILE, std::fclose> crt(std::fopen(files.certificate.c_str(), "w"));
    EXPECT_EQ(PEM_write_X509(crt.get(), certificate.get()), 1);
    const Owned<std::FILE, std::fclose> pem(std::fopen(files.private_key.c_str(), "w"));
    EXPECT_EQ(PEM_write_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
    return files;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace kg::tls
