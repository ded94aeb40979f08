// Material: what the session credentials API is served and signed with, from files that may change
// while it runs: the listener's certificate, and the keys that sign.
//
// Owner:  the Service. Thread: the loop's; blocks on small files, once in kFilesLookMs.
// Errors: at start a sentence with the path; later what cannot be used changes nothing, and is
//         logged once as long as it stays the same.
#pragma once

#include <memory>
#include <string>

#include "auth/session_signer.h"
#include "proxy/event/watcher.h"
#include "proxy/tls/certificate.h"
#include "proxy/tls/ticket_keys.h"
#include "proxy/tls/tls_context.h"
#include "routing/controller/issuer/options.h"

namespace kg::issuer {

class Material {
 public:
  Material(event::EventLoop& loop, const Options& options);

  std::string open();  // once, before the others; "" if all can be used
  void look();         // also every kFilesLookMs
  std::shared_ptr<const tls::TlsContext> tls() const noexcept { return tls_; }
  std::shared_ptr<const auth::SessionSigner> signer() const noexcept { return signer_; }

 private:
  std::string read_certificate();
  std::string read_keys();

  const std::string certificate_file_;
  const std::string certificate_key_file_;
  const std::string signing_key_file_;
  event::Timer timer_;
  std::shared_ptr<const tls::TicketKeys> tickets_ = tls::TicketKeys::random();
  tls::CertificateText certificate_;
  std::shared_ptr<const tls::TlsContext> tls_;
  std::shared_ptr<const auth::SessionSigner> signer_;
  std::string problem_;  // of the last look
};

}  // namespace kg::issuer
