#include "routing/controller/ingress/store.h"

#include <optional>
#include <utility>

#include "routing/controller/ingress/limits.h"

namespace kg::ingress {
namespace {

template <class T>
bool is_known(const std::map<ObjectName, T>& objects, const Metadata& meta) {
  const auto found = objects.find(meta.name);
  return found != objects.end() && !meta.version.empty() &&
         found->second.meta.version == meta.version;
}

}  // namespace

Store::Store(size_t most)
    : rooms_{Room(most), Room(most), Room(most), Room(most), Room(most), Room(most)} {}

template <class T, class Read>
Kept Store::put_into(std::map<ObjectName, T>& objects, Kind kind, const Json& object, Read read,
                     Refs& changed) {
  const auto meta = metadata(object);
  if (!meta) return Kept::kOfNoUse;
  if (is_known(objects, *meta)) return Kept::kYes;
  std::optional<T> source = read(object);
  if (!source) return Kept::kOfNoUse;
  const auto known = objects.find(meta->name);
  const size_t before = known == objects.end() ? 0 : kept_bytes(known->second);
  if (!room(kind).take(meta->name.space, before, kept_bytes(*source))) {
    if (known == objects.end()) return Kept::kNoRoom;
    objects.erase(known);
    changed.push_back({kind, meta->name});
    return Kept::kNoRoom;
  }
  objects.insert_or_assign(meta->name, std::move(*source));
  changed.push_back({kind, meta->name});
  return Kept::kYes;
}

template <class T>
void Store::erase_from(std::map<ObjectName, T>& objects, const ObjectRef& ref, Refs& changed) {
  const auto known = objects.find(ref.name);
  if (known == objects.end()) return;
  room(ref.kind).give(ref.name.space, kept_bytes(known->second));
  objects.erase(known);
  changed.push_back(ref);
}

Kept Store::put(Kind kind, const Json& object, Refs& changed) {
  switch (kind) {
    case Kind::kIngress:
      return put_into(ingresses_, kind, object, read_ingress, changed);
    case Kind::kIngressClass:
      return put_into(classes_, kind, object, read_class, changed);
    case Kind::kService:
      return put_into(services_, kind, object, read_service, changed);
    case Kind::kSecret:
      return put_into(secrets_, kind, object, read_secret, changed);
    case Kind::kConfigMap:
      return put_into(maps_, kind, object, read_map, changed);
    case Kind::kEndpointSlice:
      return put_slice(object, changed);
  }
  return Kept::kOfNoUse;
}

Kept Store::put_slice(const Json& object, Refs& changed) {
  const auto meta = metadata(object);
  if (!meta) return Kept::kOfNoUse;
  if (is_known(slices_, *meta)) return Kept::kYes;
  std::optional<SliceSource> source = read_slice(object);
  if (!source) return Kept::kOfNoUse;
  const SliceSource* known = find(slices_, meta->name);
  const size_t before = known == nullptr ? 0 : kept_bytes(*known);
  const bool is_of_use = !source->service.empty();
  const bool has_room =
      is_of_use && room(Kind::kEndpointSlice).take(meta->name.space, before, kept_bytes(*source));
  if (!is_of_use) room(Kind::kEndpointSlice).give(meta->name.space, before);
  forget_slice(meta->name, changed);
  if (!is_of_use) return Kept::kOfNoUse;
  if (!has_room) return Kept::kNoRoom;
  ObjectRef service{Kind::kService, {meta->name.space, source->service}};
  slices_of_[service.name].insert(meta->name);
  slices_.insert_or_assign(meta->name, std::move(*source));
  if (changed.empty() || changed.back() != service) changed.push_back(std::move(service));
  return Kept::kYes;
}

// Its room is given back by whoever calls.
void Store::forget_slice(const ObjectName& name, Refs& changed) {
  const auto found = slices_.find(name);
  if (found == slices_.end()) return;
  ObjectRef service{Kind::kService, {name.space, found->second.service}};
  const auto known = slices_of_.find(service.name);
  known->second.erase(name);
  if (known->second.empty()) slices_of_.erase(known);
  slices_.erase(found);
  changed.push_back(std::move(service));
}

void Store::erase(const ObjectRef& ref, Refs& changed) {
  switch (ref.kind) {
    case Kind::kIngress:
      return erase_from(ingresses_, ref, changed);
    case Kind::kIngressClass:
      return erase_from(classes_, ref, changed);
    case Kind::kService:
      return erase_from(services_, ref, changed);
    case Kind::kSecret:
      return erase_from(secrets_, ref, changed);
    case Kind::kConfigMap:
      return erase_from(maps_, ref, changed);
    case Kind::kEndpointSlice:
      if (const SliceSource* known = find(slices_, ref.name))
        room(ref.kind).give(ref.name.space, kept_bytes(*known));
      return forget_slice(ref.name, changed);
  }
}

std::vector<const SliceSource*> Store::slices_of(const ObjectName& service) const {
  std::vector<const SliceSource*> out;
  const auto known = slices_of_.find(service);
  if (known == slices_of_.end()) return out;
  for (const ObjectName& name : known->second) {
    if (out.size() == kSlicesMax) break;
    out.push_back(find(slices_, name));
  }
  return out;
}

}  // namespace kg::ingress
