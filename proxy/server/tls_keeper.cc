#include "proxy/server/tls_keeper.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "config/names.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"

namespace kg::server {
namespace {

void note(const std::string& file, const std::string& problem, metrics::Reloads& reloads) {
  if (problem.empty()) {
    ++reloads.ok;
    log::info("tls", "reloaded file={}", file);
  } else {
    ++reloads.failed;
    log::error("tls", "{}; what was loaded before serves on", problem);
  }
}

}  // namespace

void TlsKeeper::adopt(const config::Config& config, std::vector<tls::ListenerTls> listeners) {
  for (size_t i = 0; i < std::min(listeners.size(), listeners_.size()); ++i) {
    for (const tls::CertificateText& fresh : listeners[i].certificates) {
      for (const tls::CertificateText& old : listeners_[i].certificates) {
        if (old.file == fresh.file && !old.same_bytes(fresh)) {
          note(fresh.file, "", certificate_reloads_);
        }
      }
    }
  }
  const bool same_file = ticket_keys_file_ == config.ticket_keys_file;
  if (!listeners_.empty() && same_file && !ticket_keys_file_.empty() &&
      !listeners_.front().tickets->same_keys(*listeners.front().tickets)) {
    note(ticket_keys_file_, "", ticket_key_reloads_);
  }
  listeners_ = std::move(listeners);
  ticket_keys_file_ = config.ticket_keys_file;
  ticket_keys_watch_ = FileWatch({ticket_keys_file_});
  certificates_.clear();
  cas_.clear();
  addresses_.clear();
  for (const config::Listener& listener : config.listeners) {
    const size_t i = addresses_.size();
    addresses_.push_back(config::address_text(listener.address));
    for (size_t j = 0; j < listener.certificates.size(); ++j) {
      const config::CertificatePair& pair = listener.certificates[j];
      certificates_.push_back({i, j, FileWatch({pair.certificate, pair.private_key})});
    }
    const config::ClientCertificates& clients = listener.client_certificates;
    if (clients.mode == config::ClientCertificateMode::kNone) continue;
    cas_.push_back({i, FileWatch({clients.ca_file})});
  }
  learn_ends();
}

void TlsKeeper::count_refused(const std::vector<config::ConfigError>& errors) {
  for (const config::ConfigError& error : errors) {
    const bool tickets = error.key == "ticket_keys_file";
    ++(tickets ? ticket_key_reloads_ : certificate_reloads_).failed;
  }
}

bool TlsKeeper::look(uint64_t now_us) {
  bool fresh = false;
  for (WatchedCertificate& watched : certificates_) fresh = look_at(watched) || fresh;
  for (WatchedCa& watched : cas_) fresh = look_at(watched) || fresh;
  if (fresh) learn_ends();
  if (!ticket_keys_file_.empty()) return look_at_ticket_keys() || fresh;
  if (own_tickets_since_us_ == 0) own_tickets_since_us_ = now_us;
  if (now_us - own_tickets_since_us_ < limits::kTicketKeyRotateMs * 1'000) return fresh;
  own_tickets_since_us_ = now_us;
  own_.tickets = own_.tickets->rotated();
  use_tickets(own_.tickets);
  return true;
}

bool TlsKeeper::look_at(WatchedCertificate& watched) {
  if (!watched.watch.changed()) return false;
  tls::CertificateText& current = listeners_[watched.listener].certificates[watched.index];
  std::string problem;
  auto text = tls::CertificateText::read(current.file, current.key_file, problem);
  if (text && text->same_bytes(current)) return false;
  if (text) problem = fault_of(*text);
  note(current.file, problem, certificate_reloads_);
  if (!problem.empty()) return false;
  current = std::move(*text);
  return true;
}

bool TlsKeeper::look_at(WatchedCa& watched) {
  if (!watched.watch.changed()) return false;
  tls::ClientPolicy& current = listeners_[watched.listener].clients;
  tls::ClientPolicy fresh = current;
  std::string problem;
  const bool usable = read_client_ca(current.file, fresh, problem);
  if (usable && fresh.ca == current.ca) return false;
  note(current.file, problem, certificate_reloads_);
  if (!usable) return false;
  current = std::move(fresh);
  return true;
}

bool TlsKeeper::look_at_ticket_keys() {
  if (!ticket_keys_watch_.changed()) return false;
  std::string problem;
  auto fresh = read_ticket_keys(ticket_keys_file_, problem);
  if (fresh != nullptr && fresh->same_keys(*listeners_.front().tickets)) return false;
  note(ticket_keys_file_, problem, ticket_key_reloads_);
  if (fresh == nullptr) return false;
  use_tickets(fresh);
  return true;
}

void TlsKeeper::use_tickets(const std::shared_ptr<const tls::TicketKeys>& tickets) {
  for (tls::ListenerTls& listener : listeners_) listener.tickets = tickets;
}

void TlsKeeper::learn_ends() {
  ends_.clear();
  for (size_t i = 0; i < listeners_.size(); ++i) {
    for (const tls::CertificateText& text : listeners_[i].certificates) {
      const bool known = std::any_of(ends_.begin(), ends_.end(), [&](const auto& fact) {
        return fact.listener == addresses_[i] && fact.certificate == text.file;
      });
      std::string problem;
      const auto certificate = known ? nullptr : tls::Certificate::parse(text, problem);
      if (certificate == nullptr) continue;
      const int64_t end = certificate->not_after_s();
      ends_.push_back({addresses_[i], text.file, end});
      if (end < time(nullptr)) log::warn("tls", "{} has expired", text.file);
    }
  }
}

void TlsKeeper::add_facts(metrics::ProcessFacts& facts) const {
  facts.certificates = ends_;
  facts.certificate_reloads = certificate_reloads_;
  facts.ticket_key_reloads = ticket_key_reloads_;
}

}  // namespace kg::server
