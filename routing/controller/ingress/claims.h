// Claims: what several Ingresses ask for and one can have: hosts, paths of hosts, endpoint ids. The
// oldest object has it, then the first by namespace and name (domain K7), so that the answer
// depends on no order of events.
//
// Owner: the compiler. Cost: logarithmic in the claimants of the keys that change.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "routing/controller/ingress/object.h"

namespace kg::ingress {

struct Claim {
  bool is_weak = false;  // any other comes first: of a default target
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

  struct Change {
    std::string key;
    std::optional<Claim> before;  // who had it
    std::optional<Claim> after;
  };

  // Replaces all that `ingress` claims. The changes are of keys that now have another holder.
  std::vector<Change> set(const ObjectName& ingress, const std::string& created, const Keys& keys);
  // nullptr: nobody claims it.
  const Claim* holder(const std::string& key) const;
  // Those who claim it, the holder first, at most `most`.
  std::vector<ObjectName> claimants(const std::string& key, size_t most) const;

 private:
  std::optional<Claim> head(const std::string& key) const;

  std::map<std::string, std::set<Claim>> claims_;
  std::map<ObjectName, std::map<std::string, Claim>> own_;
};

}  // namespace kg::ingress
