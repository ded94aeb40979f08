// What the listeners' TLS is made of: certificates, client CAs and ticket keys, read from the files
// that a configuration names, or made by the process itself where it names none.
//
// Thread: control; blocks on files. Errors: as configuration errors, with the key that names the
// file; nothing of a key is in them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "proxy/tls/tls_context.h"

namespace kg::server {

// Made once per process, so that a reload changes nothing for listeners without files.
struct OwnTls {
  tls::CertificateText certificate;
  std::shared_ptr<const tls::TicketKeys> tickets;
  static OwnTls make();
};

// One entry per listener. With errors it is not to be served from.
std::vector<tls::ListenerTls> read_tls(const config::Config& config, const OwnTls& own,
                                       std::vector<config::ConfigError>& errors);

// What is wrong with it when it stands alone; "" if it can be served.
std::string fault_of(const tls::CertificateText& certificate);
std::string fault_of(const tls::ClientPolicy& clients);
// Null, and what is wrong.
std::shared_ptr<const tls::TicketKeys> read_ticket_keys(const std::string& file,
                                                        std::string& problem);
// False, and what is wrong.
bool read_client_ca(const std::string& file, tls::ClientPolicy& clients, std::string& problem);

}  // namespace kg::server
