// Owners: which namespace a host belongs to, or, where there is no host, the first element of a
// path. All of them are keys here; a host may be a wildcard.
//
// It keeps what it has as long as an Ingress of it names the host, or as it has the wildcard above
// and anybody names the host. What nobody has goes to the namespace of the oldest Ingress that
// names it; below a wildcard, to who has that, unless both are new and the host's Ingress is older.
// So an Ingress that begins to name a host, however old it is, takes it from nobody, neither by a
// wildcard above it nor by a name below one.
//
// An answer is one of the names of now and of who had it before: within a turn, from one settle()
// to the next, no order of calls counts.
// Owner: the compiler. Cost: of the keys that change; of a wildcard that is new, or whose owner
//        names it by another Ingress, all hosts below it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "routing/controller/ingress/claims.h"

namespace kg::ingress {

class Owners {
 public:
  using Keys = std::map<std::string, bool>;  // and whether it is sealed: shared with nobody

  // Replaces all that `ingress` names; counts with settle().
  void set(const ObjectName& ingress, const std::string& created, const Keys& keys);
  // Whose what was elsewhere: is theirs from the next settle() on, if they name it by then.
  void recall(const std::map<std::string, std::string>& owners) { recalled_ = owners; }
  // The end of a turn. Adds those for whom an answer below is another one.
  void settle(std::set<ObjectName>& touched);
  // As of the last settle(); "": nobody names it.
  const std::string& owner_of(const std::string& key) const;
  // Whether an Ingress of its owner seals it, or the wildcard above it.
  bool is_sealed(const std::string& key) const;
  // What would be another one's if nothing were remembered, and whose it is.
  std::map<std::string, std::string> exceptions() const;

 private:
  struct Space {
    size_t claims = 0;
    size_t seals = 0;
  };
  struct Name {
    std::set<Claim> claims;
    std::map<std::string, Space> spaces;
    std::string owner;
  };
  struct Own {
    std::string created;
    Keys keys;
  };
  void add(const std::string& key, const Claim& claim, bool is_sealed);
  void remove(const std::string& key, const Claim& claim, bool is_sealed);
  std::set<std::string> settle_wildcards(std::set<ObjectName>& touched);
  bool settle_first(const std::string& key);
  void settle_one(const std::string& key, std::set<ObjectName>& touched);
  const std::string& choose(const std::string& key, const Name& name) const;
  const std::string& by_age(const std::string& key, const Name& name) const;
  const Name* above(const std::string& key) const;
  const Name* find(const std::string& key) const;
  void touch(const std::string& key, const std::string& owner, std::set<ObjectName>& touched) const;

  std::map<std::string, Name> names_;
  std::map<ObjectName, Own> own_;
  std::map<std::string, std::set<std::string>> below_;  // hosts by wildcard
  std::map<std::string, Claim> firsts_;  // by wildcard: the oldest claim of its owner
  std::set<std::string> exceptions_;
  // ---- of this turn ----
  std::map<std::string, std::string> recalled_;
  std::set<std::string> changed_;
  std::set<std::string> new_;                            // wildcards that have another owner
  std::set<std::pair<std::string, std::string>> seals_;  // that came or went: key and namespace
};

}  // namespace kg::ingress
