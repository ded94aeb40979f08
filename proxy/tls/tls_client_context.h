// TlsClientContext: what connections to gateways need to know about TLS: whom to trust, and which
// certificate of our own to show.
//
// Built whole on the control thread, then used by one thread and never changed. Policy: TLS 1.2 and
// 1.3, AEAD and forward secrecy only, no renegotiation, no compression; the peer's certificate is
// verified, always. ALPN offers http/1.1.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "proxy/tls/ssl_handle.h"

struct ssl_ctx_st;

namespace kg::tls {

struct ClientTlsFiles {
  std::string ca_file;      // PEM, who may sign the peer's certificate; "": the system's store
  std::string certificate;  // PEM chain of our own, leaf first; "": none
  std::string private_key;
  std::map<std::string, std::string> texts = {};  // PEM of those that are no files, by name

  bool operator<(const ClientTlsFiles& other) const {
    return std::tie(ca_file, certificate, private_key, texts) <
           std::tie(other.ca_file, other.certificate, other.private_key, other.texts);
  }
};

// What the peer's certificate must say: a DNS name, which SNI tells it, or an IP address, for which
// there is no SNI (RFC 6066 section 3).
struct PeerName {
  std::string text;
  bool is_address = false;
};

class TlsClientContext {
 public:
  // Null and a sentence in `error` that names the file when one is unusable.
  static std::shared_ptr<const TlsClientContext> make(const ClientTlsFiles& files,
                                                      std::string& error);
  // A connection's state that accepts `peer` alone.
  SslHandle new_ssl(const PeerName& peer) const;

 private:
  struct ContextFree {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  std::unique_ptr<ssl_ctx_st, ContextFree> context_;
};

}  // namespace kg::tls
