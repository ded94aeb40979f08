// Recollection: what a compiler remembers and the objects do not say, so that another one goes on
// as it did. It holds exceptions only, and is empty where nothing is wrong or disputed.
//
// A value; any thread. Its text has a JSON object in each line. It is read strictly, whole or not
// at all: who wrote it is a controller, and half of it would be another answer.
// Limits: kMemoryBytesMax; the rest is left out and counted. What classes say comes first, up to
//         kClassMemoryBytesMax; namespaces have equal shares of what is left where they want more,
//         and each within its own what it has before what served it last.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/object.h"

namespace kg::ingress {

struct Holder {
  ObjectName ingress;
  std::string uid;

  bool operator==(const Holder&) const = default;
};

struct IngressMemory {
  std::string uid;
  std::string id_base;                  // where its annotation is no id; else ""
  std::map<std::string, TextMap> good;  // by endpoint id: annotations that serve, not those of now

  bool operator==(const IngressMemory&) const = default;
};

struct ClassMemory {
  std::string uid;
  TextMap data;  // of its ConfigMap

  bool operator==(const ClassMemory&) const = default;
};

struct Recollection {
  std::map<std::string, std::string> owners;  // namespaces, by key of Owners
  std::map<std::string, Holder> holders;      // by key of Claims
  std::map<ObjectName, IngressMemory> ingresses;
  std::map<std::string, ClassMemory> classes;  // by name; "" is that of observed Ingresses

  bool operator==(const Recollection&) const = default;
};

struct RecollectionText {
  std::string text;
  size_t left_out = 0;  // lines
};
RecollectionText text_of(const Recollection& recollection, size_t bytes_max = kMemoryBytesMax);

struct ReadRecollection {
  std::optional<Recollection> recollection;
  std::string problem;
};
ReadRecollection read_recollection(std::string_view text);

}  // namespace kg::ingress
