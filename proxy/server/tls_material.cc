#include "proxy/server/tls_material.h"

#include <optional>
#include <utility>

#include "config/files.h"
#include "proxy/base/limits.h"
#include "proxy/base/secret.h"

namespace kg::server {
namespace {

using Errors = std::vector<config::ConfigError>;

void add_error(const config::Config& config, const config::Place& place, std::string problem,
               const char* remedy, Errors& errors) {
  config::ConfigError error;
  error.file = config.file;
  error.line = place.line;
  error.key = place.key;
  error.problem = std::move(problem);
  error.remedy = remedy;
  errors.push_back(std::move(error));
}

// A listener for a trial of one part.
tls::ListenerTls trial_of(tls::CertificateText certificate) {
  tls::ListenerTls trial;
  trial.certificates.push_back(std::move(certificate));
  trial.tickets = tls::TicketKeys::random();
  return trial;
}

std::string fault_of_trial(const tls::ListenerTls& trial) {
  std::string problem;
  static_cast<void>(tls::TlsContext::make(trial, problem));
  return problem;
}

void read_certificates(const config::Config& config, const config::Listener& listener,
                       const OwnTls& own, tls::ListenerTls& out, Errors& errors) {
  if (listener.certificates.empty()) out.certificates.push_back(own.certificate);
  for (const config::CertificatePair& pair : listener.certificates) {
    std::string problem;
    auto text = tls::CertificateText::read(pair.certificate, pair.private_key, problem);
    if (text) problem = fault_of(*text);
    if (problem.empty()) {
      out.certificates.push_back(std::move(*text));
      continue;
    }
    add_error(
        config, pair.place, std::move(problem),
        "give a PEM certificate chain, leaf first, and the unencrypted private key of its leaf",
        errors);
  }
}

}  // namespace

OwnTls OwnTls::make() { return {tls::CertificateText::self_signed(), tls::TicketKeys::random()}; }

std::string fault_of(const tls::CertificateText& certificate) {
  return fault_of_trial(trial_of(certificate));
}

std::string fault_of(const tls::ClientPolicy& clients) {
  tls::ListenerTls trial = trial_of(tls::CertificateText::self_signed());
  trial.clients = clients;
  return fault_of_trial(trial);
}

std::shared_ptr<const tls::TicketKeys> read_ticket_keys(const std::string& file,
                                                        std::string& problem) {
  config::FileText read = config::read_file(file, limits::kPemBytesMax);
  std::shared_ptr<const tls::TicketKeys> keys;
  if (read.text) {
    const Secret text(std::move(*read.text));
    keys = tls::TicketKeys::parse(text.reveal(), problem);
  } else {
    problem = std::move(read.problem);
  }
  if (keys == nullptr) problem = file + " " + problem;
  return keys;
}

bool read_client_ca(const std::string& file, tls::ClientPolicy& clients, std::string& problem) {
  config::FileText read = config::read_file(file, limits::kPemBytesMax);
  if (!read.text) {
    problem = file + " " + read.problem;
    return false;
  }
  clients.file = file;
  clients.ca = std::move(*read.text);
  problem = fault_of(clients);
  return problem.empty();
}

std::vector<tls::ListenerTls> read_tls(const config::Config& config, const OwnTls& own,
                                       Errors& errors) {
  std::shared_ptr<const tls::TicketKeys> tickets = own.tickets;
  std::string problem;
  if (!config.ticket_keys_file.empty()) {
    tickets = read_ticket_keys(config.ticket_keys_file, problem);
    if (tickets == nullptr) {
      add_error(config, config.ticket_keys_place, problem,
                "one key a line, made by: openssl rand -base64 80 | tr -d '\\n'", errors);
      tickets = own.tickets;
    }
  }
  std::vector<tls::ListenerTls> out;
  for (const config::Listener& listener : config.listeners) {
    tls::ListenerTls& made = out.emplace_back();
    made.listener = out.size() - 1;
    made.tickets = tickets;
    read_certificates(config, listener, own, made, errors);
    made.clients.mode = listener.client_certificates.mode;
    if (made.clients.mode == config::ClientCertificateMode::kNone) continue;
    if (!read_client_ca(listener.client_certificates.ca_file, made.clients, problem)) {
      add_error(config, listener.client_certificates.place, problem,
                "give the PEM certificates of the CAs that issue client certificates", errors);
    }
  }
  return out;
}

}  // namespace kg::server
