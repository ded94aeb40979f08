// Claims: what several Ingresses ask for and one can have: paths of hosts, endpoint ids, hosts of
// certificates. Who has a thing keeps it as long as he asks for it. What nobody has goes to the
// oldest object, then to the first by namespace and name (domain K7).
//
// So an answer is one of the claims of now and of who had it before: within a turn, from one
// settle() to the next, no order of calls counts. An Ingress is its uid: another object of the same
// name never had anything.
// Owner: the compiler. Cost: logarithmic in the claimants of the keys that change.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "routing/controller/ingress/recollection.h"

namespace kg::ingress {

struct Claim {
  bool is_weak = false;  // any other comes first, whoever had it: of a default target
  std::string created;
  ObjectName ingress;

  bool operator==(const Claim&) const = default;
  bool operator<(const Claim& other) const noexcept {
    return std::tie(is_weak, created, ingress) <
           std::tie(other.is_weak, other.created, other.ingress);
  }
};

class Claims {
 public:
  using Keys = std::map<std::string, bool>;  // and whether the claim is weak

  struct Change {  // of a key that has another holder now
    std::string key;
    std::optional<ObjectName> before;  // who had it
  };

  // Replaces all that `ingress` claims; counts with settle().
  void set(const ObjectName& ingress, const Metadata& meta, const Keys& keys);
  // Who had what elsewhere: has it from the next settle() on, if he claims it by then.
  void recall(const std::map<std::string, Holder>& holders) { recalled_ = holders; }
  // The end of a turn: who has what.
  std::vector<Change> settle();
  // As of the last settle(); nullptr: nobody claims it.
  const Claim* holder(const std::string& key) const;
  // Those who claim it, the oldest first, at most `most`.
  std::vector<ObjectName> claimants(const std::string& key, size_t most) const;
  // Who has what another one would have if nothing were remembered.
  std::map<std::string, Holder> exceptions() const;

 private:
  struct Contest {
    std::set<Claim> claims;
    const Claim* holder = nullptr;  // one of them; none: to be decided
  };
  struct Own {
    std::string uid;
    std::string created;
    Keys keys;
  };
  void remove(const std::string& key, const Claim& claim);
  void add(const std::string& key, Claim claim, bool held);
  Contest& open(const std::string& key);
  const Claim* recalled(const std::string& key, const Contest& contest) const;

  std::map<std::string, Contest> contests_;
  std::map<ObjectName, Own> own_;
  std::map<std::string, std::optional<ObjectName>> changed_;  // in this turn, and who had it before
  std::map<std::string, Holder> recalled_;                    // for this turn
  std::set<std::string> exceptions_;
};

}  // namespace kg::ingress
