#include "proxy/tls/certificate_table.h"

#include <algorithm>

namespace kg::tls {

bool AnnouncedCertificate::speaks_for(std::string_view host) const {
  const size_t dot = host.find('.');
  const bool is_mine = std::ranges::any_of(hosts, [&](const std::string& mine) {
    const std::string_view own(mine);
    return own == host || (own.starts_with("*.") && dot != std::string_view::npos && dot != 0 &&
                           own.substr(1) == host.substr(dot));
  });
  return is_mine && certificate->covers(host);
}

CertificateTable::Ref CertificateTable::edited(const std::vector<Change>& changes) const {
  auto next = std::make_shared<CertificateTable>(*this);
  std::array<std::shared_ptr<Shard>, kShards> fresh;
  for (const auto& [host, certificate] : changes) {
    const size_t at = Hash()(host) % kShards;
    if (fresh[at] == nullptr) {
      fresh[at] = shards_[at] != nullptr ? std::make_shared<Shard>(*shards_[at])
                                         : std::make_shared<Shard>();
      next->shards_[at] = fresh[at];
    }
    if (certificate == nullptr) {
      fresh[at]->erase(host);
    } else {
      fresh[at]->insert_or_assign(host, certificate);
    }
  }
  return next;
}

const AnnouncedCertificateRef* CertificateTable::find(std::string_view host) const {
  const auto& shard = shards_[Hash()(host) % kShards];
  if (shard == nullptr) return nullptr;
  const auto found = shard->find(host);
  return found == shard->end() ? nullptr : &found->second;
}

}  // namespace kg::tls
