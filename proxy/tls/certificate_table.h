// CertificateTable: certificates by host beside a listener's own files: what controllers announce.
// Immutable; an edit copies the shards that it touches, whatever the number of hosts.
//
// Built on the control thread. All workers share one, and the certificates in it, whose counts of
// references each handshake with such a name then changes: thousands for each worker would cost
// more memory than that costs time. A connection keeps the one that it was shown.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/base/crypto.h"
#include "proxy/tls/certificate.h"

namespace kg::tls {

struct AnnouncedCertificate {
  std::vector<std::string> hosts;  // that it is for: lower case, "*.example.com" for one label
  std::unique_ptr<const Certificate> certificate;
  // Of its name in the feed, and so the same after a renewal: what tickets are bound to.
  crypto::Sha256 identity{};

  // Whether requests for this host may come over a connection that was shown it: the host is one of
  // its own, and the certificate says so too.
  bool speaks_for(std::string_view host) const;
};
using AnnouncedCertificateRef = std::shared_ptr<const AnnouncedCertificate>;

class CertificateTable {
 public:
  using Ref = std::shared_ptr<const CertificateTable>;
  // A host, and whose it is now; null: nobody's.
  using Change = std::pair<std::string, AnnouncedCertificateRef>;

  Ref edited(const std::vector<Change>& changes) const;
  // `host`: as it stands among hosts. Null: nobody's.
  const AnnouncedCertificateRef* find(std::string_view host) const;

 private:
  static constexpr size_t kShards = 256;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view host) const noexcept {
      return std::hash<std::string_view>()(host);
    }
  };
  using Shard = std::unordered_map<std::string, AnnouncedCertificateRef, Hash, std::equal_to<>>;

  std::array<std::shared_ptr<const Shard>, kShards> shards_;
};

// Where a worker's handshakes look, and where the next table goes. Thread: that worker's.
struct CertificateSeat {
  CertificateTable::Ref table = std::make_shared<const CertificateTable>();
};
using CertificateSeatRef = std::shared_ptr<const CertificateSeat>;

}  // namespace kg::tls
