#include "routing/controller/kube/object_store.h"

#include <optional>

#include "proxy/base/assert.h"
#include "routing/controller/kube/object.h"

namespace kg::kube {

const nlohmann::json* ObjectStore::find(const Key& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : &found->second;
}

const nlohmann::json* ObjectStore::put(nlohmann::json object) {
  const std::optional<ObjectHead> head = head_of(object);
  KG_ASSERT(head.has_value());
  nlohmann::json& kept = objects_[{std::string(head->namespace_name), std::string(head->name)}];
  const std::optional<ObjectHead> before = head_of(kept);
  if (before && before->uid == head->uid && before->resource_version == head->resource_version) {
    return nullptr;
  }
  kept = std::move(object);
  return &kept;
}

}  // namespace kg::kube
