#include "routing/controller/kube/watch_reader.h"

#include <optional>
#include <utility>

#include "routing/controller/kube/limits.h"
#include "routing/controller/kube/object.h"

namespace kg::kube {
namespace {

using Type = WatchEvent::Type;

std::optional<Type> type_of(const nlohmann::json& type) {
  if (type == "ADDED" || type == "MODIFIED") return Type::kUpsert;
  if (type == "DELETED") return Type::kRemove;
  if (type == "BOOKMARK") return Type::kBookmark;
  if (type == "ERROR") return Type::kError;
  return std::nullopt;
}

}  // namespace

bool WatchReader::feed(std::string_view bytes, const Visit& visit) {
  while (!bytes.empty() && !ended_) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (piece.size() > kObjectBytesMax - line_.size()) return fail("a line is too long");
    if (end == std::string_view::npos) {
      line_.append(piece);
      break;
    }
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      ended_ = !read_line(piece, visit);
    } else {
      line_.append(piece);
      const std::string line = std::exchange(line_, {});
      ended_ = !read_line(line, visit);
    }
  }
  return !ended_;
}

bool WatchReader::read_line(std::string_view line, const Visit& visit) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return true;
  std::optional<nlohmann::json> event = parse_json(line);
  if (!event || !event->is_object()) return fail("a line is no JSON object");
  const auto type = event->find("type");
  const auto object = event->find("object");
  if (type == event->end() || object == event->end() || !object->is_object()) {
    return fail("an event has no type or no object");
  }
  const std::optional<Type> known = type_of(*type);
  if (!known) return fail("an event is of an unknown type");
  return visit({*known, std::move(*object)});
}

bool WatchReader::fail(const char* fault) {
  fault_ = fault;
  ended_ = true;
  line_.clear();
  return false;
}

}  // namespace kg::kube
