// Certificates: the bytes of a chain and its private key as files hold them, and what OpenSSL makes
// of them.
//
// The bytes are read once, on the control thread, and parsed anew for every TlsContext: OpenSSL
// counts references to a certificate and its key at each handshake, and workers share no cache
// line.
// Errors: a sentence that names the file; never a byte of a key.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "proxy/base/secret.h"

struct ssl_st;
struct ssl_ctx_st;

namespace kg::tls {

struct CertificateText {
  std::string file;      // where the chain comes from, for messages and metrics
  std::string key_file;  // "" for a certificate of our own
  std::string chain;     // PEM, leaf first
  Secret key;            // PEM

  bool is_own() const noexcept { return key_file.empty(); }
  bool same_bytes(const CertificateText& other) const noexcept {
    return chain == other.chain && key.reveal() == other.key.reveal();
  }

  // Nothing when a file cannot be read.
  static std::optional<CertificateText> read(const std::string& certificate_file,
                                             const std::string& key_file, std::string& error);
  // For listeners without a certificate: P-256, self-signed, nowhere but in memory. An ALB does not
  // validate what it meets (domain A6).
  static CertificateText self_signed();
};

class Certificate {
 public:
  // Null when the bytes are unusable: no chain, no unencrypted key, or a key of another leaf.
  static std::unique_ptr<const Certificate> parse(const CertificateText& text, std::string& error);
  ~Certificate();

  // Whether the leaf speaks for this host: its subjectAltName as RFC 9525 section 6 compares it, a
  // wildcard for one whole label. `host` is lower case, without port. One of our own speaks for
  // every host: there is none to compare with.
  bool covers(std::string_view host) const;
  // Of the subjectAltName: lower case, "*.example.com" as it stands, addresses as inet_ntop(3).
  const std::unordered_set<std::string>& names() const noexcept { return names_; }
  // Makes it the only certificate of a handshake, or the one that handshakes begin with.
  bool present_in(ssl_st* ssl) const noexcept;
  bool present_in(ssl_ctx_st* context) const noexcept;
  int64_t not_after_s() const noexcept;  // since the epoch

 private:
  struct Handles;  // leaf, chain and key
  Certificate();
  void read_names();

  std::unique_ptr<Handles> handles_;
  std::unordered_set<std::string> names_;
  bool is_own_ = false;
};

}  // namespace kg::tls
