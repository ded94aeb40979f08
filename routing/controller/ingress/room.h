// Room: how many bytes of one kind of objects are kept for each namespace, so that the mass of one
// takes nothing from the others.
//
// Owner: the store. Cost: logarithmic in the namespaces.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "routing/controller/ingress/source.h"

namespace kg::ingress {

// Of each object as it is kept, what it takes in maps included; within a few percent.
size_t kept_bytes(const IngressSource& source);
size_t kept_bytes(const ClassSource& source);
size_t kept_bytes(const ServiceSource& source);
size_t kept_bytes(const SliceSource& source);
size_t kept_bytes(const SecretSource& source);
size_t kept_bytes(const MapSource& source);

class Room {
 public:
  explicit Room(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Takes `bytes` in place of `before`, which are given back in any case. False: there is no room.
  // New objects, those without `before`, have bytes_max for all of them; newer versions of what
  // is there have twice as much.
  bool take(const std::string& space, size_t before, size_t bytes);
  void give(const std::string& space, size_t bytes);
  // Namespaces of which something was left out.
  size_t full() const noexcept { return full_; }
  // Whether one of them has half of its room again: then those are not full any more, and what was
  // left out is to be offered once more.
  bool open_again();

 private:
  struct Space {
    size_t bytes = 0;
    bool is_full = false;
  };
  const size_t bytes_max_;
  std::map<std::string, Space> spaces_;
  size_t full_ = 0;
};

}  // namespace kg::ingress
