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

template <class T, class Read>
std::vector<ObjectRef> put_into(std::map<ObjectName, T>& objects, Kind kind, const Json& object,
                                Read read) {
  const auto meta = metadata(object);
  if (!meta || is_known(objects, *meta)) return {};
  std::optional<T> source = read(object);
  if (!source) return {};
  objects.insert_or_assign(meta->name, std::move(*source));
  return {{kind, meta->name}};
}

template <class T>
std::vector<ObjectRef> erase_from(std::map<ObjectName, T>& objects, const ObjectRef& ref) {
  if (objects.erase(ref.name) == 0) return {};
  return {ref};
}

}  // namespace

std::vector<ObjectRef> Store::put(Kind kind, const Json& object) {
  switch (kind) {
    case Kind::kIngress:
      return put_into(ingresses_, kind, object, read_ingress);
    case Kind::kIngressClass:
      return put_into(classes_, kind, object, read_class);
    case Kind::kService:
      return put_into(services_, kind, object, read_service);
    case Kind::kSecret:
      return put_into(secrets_, kind, object, read_secret);
    case Kind::kConfigMap:
      return put_into(maps_, kind, object, read_map);
    case Kind::kEndpointSlice:
      return put_slice(object);
  }
  return {};
}

std::vector<ObjectRef> Store::put_slice(const Json& object) {
  const auto meta = metadata(object);
  if (!meta || is_known(slices_, *meta)) return {};
  std::optional<SliceSource> source = read_slice(object);
  if (!source) return {};
  std::vector<ObjectRef> changed;
  forget_slice(meta->name, changed);
  if (source->service.empty()) return changed;
  ObjectRef service{Kind::kService, {meta->name.space, source->service}};
  std::set<ObjectName>& known = slices_of_[service.name];
  known.insert(meta->name);
  slices_.insert_or_assign(meta->name, std::move(*source));
  if (changed.empty() || changed.back() != service) changed.push_back(std::move(service));
  return changed;
}

void Store::forget_slice(const ObjectName& name, std::vector<ObjectRef>& changed) {
  const auto found = slices_.find(name);
  if (found == slices_.end()) return;
  ObjectRef service{Kind::kService, {name.space, found->second.service}};
  const auto known = slices_of_.find(service.name);
  known->second.erase(name);
  if (known->second.empty()) slices_of_.erase(known);
  slices_.erase(found);
  changed.push_back(std::move(service));
}

std::vector<ObjectRef> Store::erase(const ObjectRef& ref) {
  std::vector<ObjectRef> changed;
  switch (ref.kind) {
    case Kind::kIngress:
      return erase_from(ingresses_, ref);
    case Kind::kIngressClass:
      return erase_from(classes_, ref);
    case Kind::kService:
      return erase_from(services_, ref);
    case Kind::kSecret:
      return erase_from(secrets_, ref);
    case Kind::kConfigMap:
      return erase_from(maps_, ref);
    case Kind::kEndpointSlice:
      forget_slice(ref.name, changed);
      return changed;
  }
  return changed;
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
