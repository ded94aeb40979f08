// CertificateBook: the certificates that the feed announced, by item and by host.
//
// An update is looked at first and taken later, or not at all: routes come with it, and both change
// together. Of several items with the same host the first by key has it; controllers publish one.
// Owner:  the server. Thread: control. Cost: of an update what it changes.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "proxy/tls/certificate_table.h"
#include "routing/feed/item.h"

namespace kg::routing {

class CertificateBook {
 public:
  struct Held {
    std::shared_ptr<const std::string> payload;
    tls::AnnouncedCertificateRef certificate;
  };
  struct Edit {
    std::map<std::string, Held> fresh;  // by key of the feed
    std::set<std::string> leaving;
  };

  // "" and what is to be done, or what is wrong. Items that are no certificates are left to others.
  std::string look(std::span<const feed::Item> upserts, std::span<const std::string> deletes,
                   bool whole, Edit& out) const;
  void take(Edit edit);

  const tls::CertificateTable::Ref& table() const noexcept { return table_; }
  size_t size() const noexcept { return held_.size(); }

 private:
  std::map<std::string, Held> held_;
  std::map<std::string, std::set<std::string>> keys_of_;  // by host
  tls::CertificateTable::Ref table_ = std::make_shared<const tls::CertificateTable>();
};

}  // namespace kg::routing
