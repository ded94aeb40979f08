// ObjectStore: which objects of one selection there are, and in which version they were seen last.
// What is in them is the handler's to keep: most of it is nobody's here, and Secrets least of all.
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
  struct Kept {
    std::string uid;
    std::string version;
  };
  using Objects = std::map<Key, Kept>;

  const Objects& objects() const noexcept { return objects_; }
  const Kept* find(const Key& key) const;
  // `object` has a head. False if that very version was there already.
  bool put(const nlohmann::json& object);
  bool erase(const Key& key) { return objects_.erase(key) > 0; }

 private:
  Objects objects_;
};

}  // namespace kg::kube
