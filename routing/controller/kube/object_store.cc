#include "routing/controller/kube/object_store.h"

#include <optional>

#include "proxy/base/assert.h"
#include "routing/controller/kube/object.h"

namespace kg::kube {

const ObjectStore::Kept* ObjectStore::find(const Key& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : &found->second;
}

bool ObjectStore::put(const nlohmann::json& object) {
  const std::optional<ObjectHead> head = head_of(object);
  KG_ASSERT(head.has_value());
  Kept& kept = objects_[{std::string(head->namespace_name), std::string(head->name)}];
  if (kept.uid == head->uid && kept.version == head->resource_version) return false;
  kept = {std::string(head->uid), std::string(head->resource_version)};
  return true;
}

}  // namespace kg::kube
