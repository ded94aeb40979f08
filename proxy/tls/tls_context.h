// TlsContext: everything a worker needs to answer handshakes on one listener: certificates by
// server name, protocol policy, ticket keys.
//
// Built whole on the control thread, then handed to one worker and never changed: each worker has
// its own, because OpenSSL's contexts count their references in shared cache lines. Policy: TLS 1.2
// and 1.3, AEAD and forward secrecy only, X25519 and P-256, no renegotiation, no compression,
// stateless tickets, ALPN http/1.1 (a client that offers ALPN without it gets
// no_application_protocol, RFC 7301 section 3.2; one that offers none is welcome).
// A handshake without a server name, or with an unknown one, gets the first certificate: ALBs and
// health checkers send none (domain A6, A11).
#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace kg::tls {

struct CertificateFiles {
  std::string certificate;  // PEM chain, leaf first
  std::string private_key;  // PEM
};

// Seals tickets of every worker alike, so that a client may resume on any of them.
struct TicketKeys {
  std::array<unsigned char, 80> bytes;
  static TicketKeys random();
};

std::string library_version();  // "3.0.19"

class TlsContext {
 public:
  // Null and a sentence in `error` that names the file when a certificate or key is unusable.
  static std::shared_ptr<const TlsContext> make(const std::vector<CertificateFiles>& certificates,
                                                const TicketKeys& tickets, std::string& error);
  ssl_ctx_st* default_context() const noexcept { return contexts_.front().get(); }

 private:
  struct ContextFree {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  using ContextHandle = std::unique_ptr<ssl_ctx_st, ContextFree>;

  static int server_name_cb(ssl_st* ssl, int* alert, void* self) noexcept;
  bool add_certificate(const CertificateFiles& files, const TicketKeys& tickets,
                       std::string& error);
  void index_names(ssl_ctx_st* context);
  ssl_ctx_st* find(const std::string& name) const;

  std::vector<ContextHandle> contexts_;
  std::unordered_map<std::string, ssl_ctx_st*>
      by_name_;  // lower case; "*.example.com" as it stands
};

}  // namespace kg::tls
