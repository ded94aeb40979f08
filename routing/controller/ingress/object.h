// Kubernetes objects as JSON from outside: what they are called, and reading members of whatever
// type. Nothing here throws or trusts a shape: what is not there reads as empty.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace kg::ingress {

using Json = nlohmann::json;

enum class Kind : uint8_t {
  kIngress,
  kIngressClass,
  kService,
  kEndpointSlice,
  kSecret,
  kConfigMap,
};

std::string_view name_of(Kind kind) noexcept;  // "EndpointSlice"
std::optional<Kind> kind_named(std::string_view name) noexcept;

// A name within a namespace, "" for what is of the cluster.
struct ObjectName {
  std::string space;
  std::string name;

  std::string text() const { return space.empty() ? name : space + "/" + name; }
  bool operator==(const ObjectName&) const = default;
  bool operator<(const ObjectName& other) const noexcept {
    return std::tie(space, name) < std::tie(other.space, other.name);
  }
};

struct ObjectRef {
  Kind kind = Kind::kIngress;
  ObjectName name;

  std::string text() const;  // "Ingress analytics/jeg"
  bool operator==(const ObjectRef&) const = default;
  bool operator<(const ObjectRef& other) const noexcept {
    return std::tie(kind, name) < std::tie(other.kind, other.name);
  }
};

using TextMap = std::map<std::string, std::string, std::less<>>;

struct Metadata {
  ObjectName name;
  std::string uid;      // "" in manifests; another one is another object of the same name
  std::string version;  // resourceVersion, "" in manifests
  std::string created;  // RFC 3339 in UTC, as the API server writes it: compares as text
  // Of Ingresses alone: those of other objects are read where they count, and not kept.
  TextMap labels;
  TextMap annotations;
};

// null for what is absent, and for members of what is no object.
const Json& member(const Json& object, std::string_view name) noexcept;
// "" for what is no string.
std::string_view text(const Json& value) noexcept;
std::string_view text(const Json& object, std::string_view name) noexcept;
// Absent and null are `fallback`.
bool flag(const Json& object, std::string_view name, bool fallback) noexcept;
// An array's entries; none for what is no array.
const Json& list(const Json& object, std::string_view name) noexcept;
// A TCP port; nullopt for anything else.
std::optional<uint16_t> port(const Json& value) noexcept;
TextMap texts(const Json& object, std::string_view name);  // its members that are strings
// What Kubernetes lets objects of these kinds, their ports and namespaces be called.
bool is_name(std::string_view text) noexcept;
// Without labels and annotations. nullopt without a name that Kubernetes would take.
std::optional<Metadata> metadata(const Json& object);

// A value for a message: quoted, shortened, on one line.
std::string quote(std::string_view value);

}  // namespace kg::ingress
