#include "routing/controller/kube/object_store.h"

#include <optional>

#include "proxy/base/assert.h"
#include "routing/controller/kube/object.h"

namespace kg::kube {

const ObjectStore::Kept* ObjectStore::find(const Key& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : &found->second;
}

bool ObjectStore::see(const nlohmann::json& object) {
  const std::optional<ObjectHead> head = head_of(object);
  KG_ASSERT(head.has_value());
  const auto found = objects_.find({std::string(head->namespace_name), std::string(head->name)});
  if (found == objects_.end()) return false;
  found->second.list = list_;
  return found->second.uid == head->uid && found->second.version == head->resource_version;
}

void ObjectStore::put(const nlohmann::json& object) {
  const std::optional<ObjectHead> head = head_of(object);
  KG_ASSERT(head.has_value());
  objects_[{std::string(head->namespace_name), std::string(head->name)}] = {
      std::string(head->uid), std::string(head->resource_version), list_};
}

std::vector<ObjectStore::Key> ObjectStore::unlisted() const {
  std::vector<Key> out;
  for (const auto& [key, kept] : objects_) {
    if (kept.list != list_) out.push_back(key);
  }
  return out;
}

}  // namespace kg::kube
