// ObjectStore: which objects of one selection there are, and in which version they were seen last.
// What is in them is the handler's to keep: most of it is nobody's here, and Secrets least of all.
//
// Owner: a Reflector; others read. Thread: its loop's. Limit: has what the handler keeps, and
// nothing of other objects.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace kg::kube {

class ObjectStore {
 public:
  using Key = std::pair<std::string, std::string>;  // namespace, name
  struct Kept {
    std::string uid;
    std::string version;
    uint64_t list = 0;  // in which it was seen last
  };
  using Objects = std::map<Key, Kept>;

  const Objects& objects() const noexcept { return objects_; }
  const Kept* find(const Key& key) const;
  // What is not seen from here to unlisted() is in no list any more.
  void begin_list() noexcept { ++list_; }
  std::vector<Key> unlisted() const;
  // Whether that very version is there: then it is seen. `object` has a head.
  bool see(const nlohmann::json& object);
  void put(const nlohmann::json& object);
  bool erase(const Key& key) { return objects_.erase(key) > 0; }

 private:
  Objects objects_;
  uint64_t list_ = 0;
};

}  // namespace kg::kube
