// Holdings: who has which host, path and endpoint id, of all Ingresses that are ours.
//
// A host belongs to the namespace of the oldest Ingress that names it, in a rule or for a
// certificate, and so do the exact hosts below a wildcard that is older than they are. Where a rule
// has no host, that holds for the first element of its path. So no tenant takes a part of another's
// traffic by a longer path or a host of its own (domain A29), unless both sides share: the class of
// the Ingress that wants a part, and the classes of all Ingresses that name the host in the
// namespace that it belongs to. Within its namespace each path of a host belongs to one Ingress,
// and an id to one of all.
//
// Owner: the compiler. Cost: of the keys of one Ingress, and of those whose answer changes by it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "routing/controller/ingress/claims.h"
#include "routing/controller/ingress/parameters.h"
#include "routing/controller/ingress/source.h"

namespace kg::ingress {

// An Ingress as it claims; without a source it gives everything up.
struct Claimant {
  ObjectName name;
  const IngressSource* source = nullptr;
  const Parameters* parameters = nullptr;
};

class Holdings {
 public:
  // Of all Ingresses that changed, before claim_rest of any. Adds whose hosts may be others' now.
  void claim_hosts(const Claimant& who, std::set<ObjectName>& touched);
  // Adds those for whom the answers below may be other ones.
  void claim_rest(const Claimant& who, const std::vector<std::string>& ids,
                  std::set<ObjectName>& touched);

  // The namespace that the host belongs to, or the path where there is no host; "" nobody's.
  std::string owner_of(const std::string& host, const std::string& path) const;
  bool owns(const Claimant& who, const std::string& host, const std::string& path) const;
  const Claim* holder_of(const Rule& rule) const;
  const Claim* holder_of_id(const std::string& id) const;
  const Claim* holder_of_certificate(const std::string& host) const;

 private:
  using Before = std::map<std::string, std::optional<Claim>>;  // holders that changed
  using Hosts = std::set<std::string>;
  std::string owner_then(const std::string& key, const Before& before) const;
  bool is_sealed(const std::string& key, const std::string& owner) const;
  void touch_all(const std::string& key, std::set<ObjectName>& touched) const;
  void touch_owned(const std::vector<Claims::Change>& changes, std::set<ObjectName>& touched) const;
  void keep_below(const ObjectName& name, Hosts hosts);

  Claims hosts_;  // and a seal for each host of an Ingress whose class does not share
  Claims rest_;
  std::map<ObjectName, Hosts> exact_;  // hosts that a wildcard may be above of
  std::map<std::string, std::map<std::string, size_t>> below_;  // the same by wildcard, counted
};

}  // namespace kg::ingress
