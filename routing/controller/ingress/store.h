// What the compiler has seen of the cluster, and which Services their slices belong to.
//
// Owner: the compiler. Bounded by what the API server lists.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "routing/controller/ingress/source.h"

namespace kg::ingress {

class Store {
 public:
  // The objects whose readers have to look again: the object itself, for a slice its Service. None
  // when the version is the one that is known, or nothing can be read.
  std::vector<ObjectRef> put(Kind kind, const Json& object);
  std::vector<ObjectRef> erase(const ObjectRef& ref);

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
  std::vector<ObjectRef> put_slice(const Json& object);
  void forget_slice(const ObjectName& name, std::vector<ObjectRef>& changed);

  std::map<ObjectName, IngressSource> ingresses_;
  std::map<ObjectName, ClassSource> classes_;
  std::map<ObjectName, ServiceSource> services_;
  std::map<ObjectName, SliceSource> slices_;
  std::map<ObjectName, SecretSource> secrets_;
  std::map<ObjectName, MapSource> maps_;
  std::map<ObjectName, std::set<ObjectName>> slices_of_;  // by Service
};

}  // namespace kg::ingress
