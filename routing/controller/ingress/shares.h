// Shares: what each namespace may take of something that all of them share, and which of its
// objects are left out where it wants more.
//
// A namespace has bounds of its own. Where all of them together want more than there is, they get
// equal shares, and those that want less than that get all they want: however much one wants, who
// wants little loses nothing. Within a namespace objects come by age, then by name: an object has a
// place if what it wants fits beside those before it.
//
// Owner: the compiler. Cost: logarithmic while everything fits; else of the objects of the
// namespaces that want too much.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "routing/controller/ingress/object.h"

namespace kg::ingress {

struct Amount {
  size_t items = 0;
  size_t bytes = 0;

  bool operator==(const Amount&) const = default;
};

struct ShareBounds {
  Amount of_namespace;
  Amount of_all;
};

class Shares {
 public:
  enum class Verdict : uint8_t { kServed, kNamespaceFull, kAllFull };

  explicit Shares(ShareBounds bounds) : bounds_(bounds), most_(bounds.of_namespace) {}

  // What `owner` wants from now on; nothing of it gives its place up. Adds those whose verdict is
  // another one by that, `owner` itself too.
  void set(const ObjectRef& owner, const std::string& created, Amount wanted,
           std::set<ObjectRef>& changed);
  Verdict verdict(const ObjectRef& owner) const;
  // Objects without a place.
  size_t left_out() const noexcept;
  const ShareBounds& bounds() const noexcept { return bounds_; }

 private:
  struct Place {
    std::string created;
    ObjectRef owner;
    bool operator<(const Place& other) const noexcept {
      return std::tie(created, owner) < std::tie(other.created, other.owner);
    }
  };
  struct Space {
    std::map<Place, Amount> wanted;
    std::map<ObjectRef, std::string> created;
    std::map<ObjectRef, Verdict> out;
    Amount sum;
  };

  void take(Space& space, const ObjectRef& owner);
  Amount most_of_each() const;
  void settle(Space& space, std::set<ObjectRef>& changed) const;

  const ShareBounds bounds_;
  Amount most_;   // of one namespace, now
  Amount total_;  // of all namespaces, each within its own bounds
  std::map<std::string, Space> spaces_;
};

}  // namespace kg::ingress
