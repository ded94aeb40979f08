// Shares: what each namespace may take of something that all of them share, and which of its
// objects are left out where it wants more.
//
// A namespace has bounds of its own. Where all of them together want more than there is, they get
// equal shares, and those that want less than that get all they want: however much one wants, who
// wants little loses nothing. Within a namespace objects come by age, then by name: an object has a
// place if what it wants fits beside those before it.
//
// Owner: the compiler. Cost: of set(), logarithmic; of settle(), a few steps for each namespace
// that changed while it fits, else its objects. A youngest object is judged by set() itself, so
// that many of them, oldest first, cost no settling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

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

// The largest share that all can have who want so much or more, the others having what they want;
// SIZE_MAX where all have that.
size_t equal_share(size_t all, std::vector<size_t> wanted);

class Shares {
 public:
  enum class Verdict : uint8_t { kServed, kNamespaceFull, kAllFull };

  explicit Shares(ShareBounds bounds) : bounds_(bounds), most_(bounds.of_namespace) {}

  // What `owner` wants from now on; nothing of it gives its place up. It keeps its verdict until
  // settle(), unless it is new and the youngest.
  void set(const ObjectRef& owner, const std::string& created, Amount wanted);
  // Adds those whose verdict is another one since set().
  void settle(std::set<ObjectRef>& changed);
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
  struct Wish {
    Amount amount;
    Verdict verdict = Verdict::kServed;
  };
  struct Room {
    Amount now;  // behind all that have a place
    Amount own;  // the same, if the other namespaces wanted nothing
  };
  struct Space {
    std::map<Place, Wish> wishes;
    std::map<ObjectRef, std::string> created;
    Amount sum;
    Room room;
    size_t left_out = 0;
  };

  std::optional<Wish> take(Space& space, const ObjectRef& owner);
  Amount most_of_each() const;
  void settle(Space& space, std::set<ObjectRef>& changed) const;
  static Verdict admit(const Amount& wanted, Room& room) noexcept;

  const ShareBounds bounds_;
  Amount most_;   // of one namespace, now
  Amount total_;  // of all namespaces, each within its own bounds
  std::map<std::string, Space> spaces_;
  std::set<std::string> due_;  // spaces to settle
};

}  // namespace kg::ingress
