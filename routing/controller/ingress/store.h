// What the compiler has seen of the cluster, and which Services their slices belong to.
//
// Owner: the compiler. Limit: of each namespace and kind kNamespaceKeptBytesMax (room.h).
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "routing/controller/ingress/room.h"
#include "routing/controller/ingress/source.h"

namespace kg::ingress {

// What became of an object that was put.
enum class Kept : uint8_t {
  kYes,
  kOfNoUse,  // nothing of it can be read, or would be
  kNoRoom,   // its namespace has as much of that kind as is kept
};

class Store {
 public:
  explicit Store(size_t namespace_bytes_max);

  // `changed` gets the objects whose readers have to look again: the object itself, for a slice its
  // Service. None when the version is the one that is known. What is not kept is as if erased.
  Kept put(Kind kind, const Json& object, std::vector<ObjectRef>& changed);
  void erase(const ObjectRef& ref, std::vector<ObjectRef>& changed);
  Room& room(Kind kind) noexcept { return rooms_[static_cast<size_t>(kind)]; }
  const Room& room(Kind kind) const noexcept { return rooms_[static_cast<size_t>(kind)]; }

  const IngressSource* ingress(const ObjectName& name) const { return find(ingresses_, name); }
  const ServiceSource* service(const ObjectName& name) const { return find(services_, name); }
  const SecretSource* secret(const ObjectName& name) const { return find(secrets_, name); }
  const MapSource* map(const ObjectName& name) const { return find(maps_, name); }
  const std::map<ObjectName, ClassSource>& classes() const noexcept { return classes_; }
  // The first kSlicesMax by name.
  std::vector<const SliceSource*> slices_of(const ObjectName& service) const;

 private:
  template <class T>
  static const T* find(const std::map<ObjectName, T>& objects, const ObjectName& name) {
    const auto found = objects.find(name);
    return found == objects.end() ? nullptr : &found->second;
  }
  using Refs = std::vector<ObjectRef>;
  template <class T, class Read>
  Kept put_into(std::map<ObjectName, T>& objects, Kind kind, const Json& object, Read read,
                Refs& changed);
  template <class T>
  void erase_from(std::map<ObjectName, T>& objects, const ObjectRef& ref, Refs& changed);
  Kept put_slice(const Json& object, Refs& changed);
  void forget_slice(const ObjectName& name, Refs& changed);

  std::array<Room, 6> rooms_;  // by kind
  std::map<ObjectName, IngressSource> ingresses_;
  std::map<ObjectName, ClassSource> classes_;
  std::map<ObjectName, ServiceSource> services_;
  std::map<ObjectName, SliceSource> slices_;
  std::map<ObjectName, SecretSource> secrets_;
  std::map<ObjectName, MapSource> maps_;
  std::map<ObjectName, std::set<ObjectName>> slices_of_;  // by Service
};

}  // namespace kg::ingress
