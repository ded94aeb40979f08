#include "routing/controller/ingress/recollection.h"

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

#include "routing/controller/ingress/ids.h"
#include "routing/controller/ingress/shares.h"

namespace kg::ingress {
namespace {

// The member that says what a line is of.
constexpr const char* kOfOwner = "owner";
constexpr const char* kOfHolder = "holder";
constexpr const char* kOfIngress = "ingress";
constexpr const char* kOfClass = "class";
constexpr int kLineDepthMax = 3;  // annotations of an id of an Ingress

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json line_of(const Holder& holder, const std::string& key) {
  return {{kOfHolder, key},
          {"namespace", holder.ingress.space},
          {"name", holder.ingress.name},
          {"uid", holder.uid}};
}

Json line_of(const IngressMemory& memory, const ObjectName& ingress) {
  return {{kOfIngress, ingress.name},
          {"namespace", ingress.space},
          {"uid", memory.uid},
          {"id_base", memory.id_base},
          {"good", memory.good}};
}

using Lines = std::vector<std::string>;

// Those that fit.
void write(const Lines& lines, size_t bytes_max, RecollectionText& out) {
  for (const std::string& line : lines) {
    if (line.size() + 1 > bytes_max) {
      ++out.left_out;
      continue;
    }
    bytes_max -= line.size() + 1;
    out.text += line + "\n";
  }
}

class Reader {
 public:
  std::optional<Recollection> read(std::string_view text) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      if (end == std::string_view::npos || !read_line(text.substr(0, end))) return std::nullopt;
      text.remove_prefix(end + 1);
    }
    return std::move(out_);
  }

 private:
  bool read_line(std::string_view line) {
    const auto is_shallow = [](int depth, Json::parse_event_t, Json&) {
      return depth <= kLineDepthMax;  // else it is left out, and missing below
    };
    const Json json = Json::parse(line, is_shallow, /*allow_exceptions=*/false);
    // As it is written: no member twice, nothing that a parser forgives.
    if (!json.is_object() || dumped(json) != line) return false;
    if (json.contains(kOfOwner)) return read_owner(json);
    if (json.contains(kOfHolder)) return read_holder(json);
    if (json.contains(kOfIngress)) return read_ingress_memory(json);
    return json.contains(kOfClass) && read_class_memory(json);
  }

  // Whether these are its members, and no others, and strings.
  static bool has_only(const Json& json, std::initializer_list<const char*> strings, size_t more) {
    return json.size() == strings.size() + more &&
           std::ranges::all_of(strings,
                               [&](const char* name) { return member(json, name).is_string(); });
  }

  static bool read_map(const Json& json, const char* name, TextMap& out) {
    out = texts(json, name);
    return member(json, name).is_object() && out.size() == member(json, name).size();
  }

  static std::string string_of(const Json& json, const char* name) {
    return std::string(text(json, name));
  }

  static ObjectName name_of(const Json& json, const char* name) {
    return {string_of(json, "namespace"), string_of(json, name)};
  }

  static bool is_object_name(const ObjectName& name) {
    return is_name(name.space) && is_name(name.name);
  }

  bool read_owner(const Json& json) {
    if (!has_only(json, {kOfOwner, "namespace"}, 0)) return false;
    std::string space = string_of(json, "namespace");
    return !text(json, kOfOwner).empty() && is_name(space) &&
           out_.owners.emplace(text(json, kOfOwner), std::move(space)).second;
  }

  bool read_holder(const Json& json) {
    if (!has_only(json, {kOfHolder, "namespace", "name", "uid"}, 0)) return false;
    Holder holder{name_of(json, "name"), string_of(json, "uid")};
    return !text(json, kOfHolder).empty() && is_object_name(holder.ingress) &&
           out_.holders.emplace(text(json, kOfHolder), std::move(holder)).second;
  }

  bool read_ingress_memory(const Json& json) {
    if (!has_only(json, {kOfIngress, "namespace", "uid", "id_base"}, 1)) return false;
    const Json& good = member(json, "good");
    IngressMemory memory{string_of(json, "uid"), string_of(json, "id_base"), {}};
    if (!good.is_object() || good.size() > kTargetsMax) return false;
    if (!memory.id_base.empty() && !is_id(memory.id_base)) return false;
    for (const auto& [id, annotations] : good.items()) {
      if (!is_id(id) || !read_map(good, id.c_str(), memory.good[id])) return false;
    }
    ObjectName ingress = name_of(json, kOfIngress);
    return is_object_name(ingress) &&
           out_.ingresses.emplace(std::move(ingress), std::move(memory)).second;
  }

  bool read_class_memory(const Json& json) {
    ClassMemory memory{string_of(json, "uid"), {}};
    if (!has_only(json, {kOfClass, "uid"}, 1) || !read_map(json, "data", memory.data)) return false;
    std::string name = string_of(json, kOfClass);
    return (name.empty() || is_name(name)) &&
           out_.classes.emplace(std::move(name), std::move(memory)).second;
  }

  Recollection out_;
};

}  // namespace

RecollectionText text_of(const Recollection& recollection, size_t bytes_max) {
  RecollectionText out;
  Lines classes;
  for (const auto& [name, memory] : recollection.classes)
    classes.push_back(dumped({{kOfClass, name}, {"uid", memory.uid}, {"data", memory.data}}));
  write(classes, std::min(bytes_max, kClassMemoryBytesMax), out);
  std::map<std::string, Lines> spaces;
  for (const auto& [key, space] : recollection.owners)
    spaces[space].push_back(dumped({{kOfOwner, key}, {"namespace", space}}));
  for (const auto& [key, holder] : recollection.holders)
    spaces[holder.ingress.space].push_back(dumped(line_of(holder, key)));
  for (const auto& [name, memory] : recollection.ingresses)
    spaces[name.space].push_back(dumped(line_of(memory, name)));
  std::vector<size_t> wanted;
  for (const auto& [space, lines] : spaces) {
    size_t bytes = 0;
    for (const std::string& line : lines) bytes += line.size() + 1;
    wanted.push_back(bytes);
  }
  const size_t share = equal_share(bytes_max - out.text.size(), std::move(wanted));
  for (const auto& [space, lines] : spaces) write(lines, share, out);
  return out;
}

ReadRecollection read_recollection(std::string_view text) {
  if (text.size() > kMemoryBytesMax)
    return {std::nullopt, "it is larger than any that was written"};
  auto recollection = Reader().read(text);
  if (recollection) return {std::move(recollection), ""};
  return {std::nullopt, "it is not as a controller of this version writes it"};
}

}  // namespace kg::ingress
