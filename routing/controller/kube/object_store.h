// ObjectStore: the objects of one selection by namespace and name, as they were seen last.
//
// Owner: a Reflector; others read. Thread: its loop's. Limit: kObjectsMax, kept by the Reflector.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace kg::kube {

class ObjectStore {
 public:
  using Key = std::pair<std::string, std::string>;  // namespace, name
  using Objects = std::map<Key, nlohmann::json>;

  const Objects& objects() const noexcept { return objects_; }
  const nlohmann::json* find(const Key& key) const;
  // `object` has a head. The one that is kept now; nullptr if that very version was there already.
  const nlohmann::json* put(nlohmann::json object);
  bool erase(const Key& key) { return objects_.erase(key) > 0; }

 private:
  Objects objects_;
};

}  // namespace kg::kube
