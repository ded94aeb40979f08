// Holdings: who has which host, path and endpoint id, of all Ingresses that are ours.
//
// A host belongs to one namespace (owners.h), in a rule or for a certificate. Where a rule has no
// host, that holds for the first element of its path. So no tenant takes a part of another's
// traffic by a longer path or a host of its own (domain A29), unless both sides share: the class of
// the Ingress that wants a part, and the classes of all Ingresses that name the host in the
// namespace that it belongs to. Within its namespace each path of a host belongs to one Ingress,
// and an id to one of all (claims.h).
//
// Owner: the compiler. Cost: of the keys of one Ingress, and of those whose answer changes by it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "routing/controller/ingress/claims.h"
#include "routing/controller/ingress/owners.h"
#include "routing/controller/ingress/parameters.h"
#include "routing/controller/ingress/source.h"

namespace kg::ingress {

// An Ingress as it claims; without a source it gives everything up.
struct Claimant {
  ObjectName name;
  const IngressSource* source = nullptr;
  const Parameters* parameters = nullptr;
};

// A turn: claim_hosts of all Ingresses that changed, settle_hosts, claim_rest of those and of the
// ones that it adds, settle_rest.
class Holdings {
 public:
  // What another one remembered; with the next turn.
  void recall(const Recollection& recollection);
  void claim_hosts(const Claimant& who);
  // Adds those whose hosts are others' now, or were.
  void settle_hosts(std::set<ObjectName>& touched) { owners_.settle(touched); }
  void claim_rest(const Claimant& who, const std::vector<std::string>& ids);
  // Adds those for whom the answers below are other ones.
  void settle_rest(std::set<ObjectName>& touched);

  bool owns(const Claimant& who, const std::string& host, const std::string& path) const;
  const Claim* holder_of(const Rule& rule) const;
  const Claim* holder_of_id(const std::string& id) const;
  const Claim* holder_of_certificate(const std::string& host) const;
  void recollect(Recollection& out) const;

 private:
  Owners owners_;
  Claims rest_;
};

}  // namespace kg::ingress
