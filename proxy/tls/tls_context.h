// TlsContext: everything a worker needs to answer handshakes on one listener: certificates by
// server name, protocol policy, ticket keys, who must show a certificate.
//
// Built whole on the control thread, then handed to one worker and never changed; what is new goes
// into a new one, but for what controllers announce, which the worker's seat holds. Each worker has
// its own, because OpenSSL counts references to contexts, certificates and keys in shared cache
// lines.
// Policy: TLS 1.2 and 1.3, AEAD and forward secrecy only, X25519 and P-256, no renegotiation, no
// compression, stateless tickets, ALPN http/1.1 (a client that offers ALPN without it gets
// no_application_protocol, RFC 7301 section 3.2; one that offers none is welcome).
// Names: an exact one before a wildcard, and of equal ones the listener's own before an announced
// one. A handshake without a server name, or with an unknown one, gets the first certificate of the
// listener: ALBs and health checkers send none (domain A6, A11).
// Resumption: one OpenSSL context for all names of a listener, and a session-id context that
// names listener and client-certificate policy, so no ticket gets round a check (CVE-2025-23419).
// A ticket is bound to the announced certificate under which it was given, or to the listener's own
// ones: for a name that another certificate serves now, there is a full handshake.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.h"
#include "proxy/tls/certificate.h"
#include "proxy/tls/certificate_table.h"
#include "proxy/tls/ticket_keys.h"

struct ssl_ctx_st;
struct ssl_st;

namespace kg::tls {

// Who clients have to be. `ca` is PEM; with kNone nothing else counts.
struct ClientPolicy {
  config::ClientCertificateMode mode = config::ClientCertificateMode::kNone;
  std::string file;  // of `ca`, for messages
  std::string ca;
};

// What one listener's contexts are made of.
struct ListenerTls {
  size_t listener = 0;                        // its place in the configuration
  std::vector<CertificateText> certificates;  // at least one; the first is the default
  ClientPolicy clients;
  std::shared_ptr<const TicketKeys> tickets;
};

class TlsContext {
 public:
  // Null and a sentence in `error` that names the file when a certificate, key or CA is unusable.
  // `seat`: of the worker that it is for; null: nothing is announced.
  static std::shared_ptr<const TlsContext> make(const ListenerTls& wish, std::string& error,
                                                CertificateSeatRef seat = nullptr);

  ssl_ctx_st* handle() const noexcept { return context_.get(); }
  // Why OpenSSL would not present it under this policy, "" if it would: a weak key, for example.
  static std::string fault_of(const Certificate& certificate);
  // Of `host` (lower case, without port): the certificate that the handshake chose speaks for it.
  // True as well when the client named no server, or named this host and has got what there is.
  static bool speaks_for(const ssl_st* ssl, std::string_view host);

 private:
  struct ContextFree {
    void operator()(ssl_ctx_st* context) const noexcept;
  };
  struct Callbacks;

  bool apply_policy(const ListenerTls& wish, std::string& error);
  bool apply_client_policy(const ListenerTls& wish, std::string& error);
  bool add_certificates(const std::vector<CertificateText>& texts, std::string& error);
  const Certificate& own_certificate_for(std::string_view server_name) const;
  // Null: one of the listener's own is.
  AnnouncedCertificateRef announced_for(std::string_view server_name) const;

  std::unique_ptr<ssl_ctx_st, ContextFree> context_;
  std::vector<std::unique_ptr<const Certificate>> certificates_;
  std::unordered_map<std::string, const Certificate*> by_name_;  // the first one that has the name
  std::shared_ptr<const TicketKeys> tickets_;
  CertificateSeatRef seat_;
  bool requires_certificate_ = false;
};

}  // namespace kg::tls
