#include "routing/certificate_book.h"

#include <ctime>
#include <utility>

#include "proxy/base/log.h"
#include "routing/announced_certificate.h"

namespace kg::routing {

std::string CertificateBook::look(std::span<const feed::Item> upserts,
                                  std::span<const std::string> deletes, bool whole,
                                  Edit& out) const {
  std::set<std::string> named;
  for (const std::string& key : deletes) {
    if (held_.contains(key)) out.leaving.insert(key);
  }
  for (const feed::Item& item : upserts) {
    if (!item.key.starts_with(kCertificateKey)) continue;
    named.insert(item.key);
    const auto held = held_.find(item.key);
    if (held != held_.end() && *held->second.payload == *item.payload) continue;
    ReadCertificate read = read_announced_certificate(item.key, *item.payload);
    if (!read.problem.empty()) return item.key + ": " + read.problem;
    if (read.certificate->certificate->not_after_s() < time(nullptr)) {
      log::warn("feed", "{} has expired", item.key);
    }
    out.fresh.insert_or_assign(item.key, Held{item.payload, std::move(read.certificate)});
  }
  for (const auto& [key, held] : held_) {
    if (whole && !named.contains(key)) out.leaving.insert(key);
  }
  return "";
}

void CertificateBook::take(Edit edit) {
  std::set<std::string> touched;
  const auto remove = [&](const std::string& key) {
    const auto found = held_.find(key);
    if (found == held_.end()) return;
    for (const std::string& host : found->second.certificate->hosts) {
      keys_of_[host].erase(key);
      touched.insert(host);
    }
    held_.erase(found);
  };
  for (const std::string& key : edit.leaving) remove(key);
  while (!edit.fresh.empty()) {
    auto fresh = edit.fresh.extract(edit.fresh.begin());
    remove(fresh.key());
    for (const std::string& host : fresh.mapped().certificate->hosts) {
      keys_of_[host].insert(fresh.key());
      touched.insert(host);
    }
    held_.insert(std::move(fresh));
  }
  if (touched.empty()) return;
  std::vector<tls::CertificateTable::Change> changes;
  for (const std::string& host : touched) {
    const auto keys = keys_of_.find(host);
    if (keys->second.empty()) {
      keys_of_.erase(keys);
      changes.emplace_back(host, nullptr);
    } else {
      changes.emplace_back(host, held_.at(*keys->second.begin()).certificate);
    }
  }
  table_ = table_->edited(changes);
}

}  // namespace kg::routing
