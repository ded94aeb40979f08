#include "proxy/kernel/running_cell.h"

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

namespace kg::kernel {
namespace {

using nlohmann::json;

constexpr size_t kParentBytesMax = 8'192;  // headers of Jupyter take about 200

struct Message {
  std::string channel;
  json header;
  json parent;
  json content;
};

json parse(std::string_view text) { return json::parse(text, nullptr, /*allow_exceptions=*/false); }

const json* member(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

bool says(const json& object, const char* name, std::string_view value) {
  const json* found = member(object, name);
  return found != nullptr && found->is_string() && found->get_ref<const std::string&>() == value;
}

std::optional<Message> read_legacy(std::string_view payload) {
  const json whole = parse(payload);
  const json* channel = member(whole, "channel");
  const json* header = member(whole, "header");
  const json* parent = member(whole, "parent_header");
  const json* content = member(whole, "content");
  if (header == nullptr || parent == nullptr || content == nullptr || channel == nullptr ||
      !channel->is_string()) {
    return std::nullopt;
  }
  return Message{channel->get<std::string>(), *header, *parent, *content};
}

uint64_t little_endian(std::string_view eight) {
  uint64_t value = 0;
  for (size_t i = eight.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(eight[i]);
  return value;
}

// Count of offsets, the offsets (each part's begin, at last the end), the parts.
std::optional<Message> read_v1(std::string_view payload) {
  constexpr size_t kParts = 5;  // channel, header, parent header, metadata, content; then buffers
  if (payload.size() < 8 * (kParts + 2) || little_endian(payload.substr(0, 8)) < kParts + 1) {
    return std::nullopt;
  }
  std::array<std::string_view, kParts> parts;
  for (size_t i = 0; i < kParts; ++i) {
    const uint64_t begin = little_endian(payload.substr(8 * (i + 1), 8));
    const uint64_t end = little_endian(payload.substr(8 * (i + 2), 8));
    if (begin > end || end > payload.size()) return std::nullopt;
    parts[i] = payload.substr(begin, end - begin);
  }
  return Message{std::string(parts[0]), parse(parts[1]), parse(parts[2]), parse(parts[4])};
}

}  // namespace

std::string running_cell(Framing framing, std::string_view payload) {
  const std::optional<Message> message =
      framing == Framing::kV1 ? read_v1(payload) : read_legacy(payload);
  if (!message || message->channel != "iopub") return {};
  if (!says(message->parent, "msg_type", "execute_request")) return {};
  if (says(message->header, "msg_type", "status") &&
      !says(message->content, "execution_state", "busy")) {
    return {};
  }
  std::string parent =
      message->parent.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  return parent.size() <= kParentBytesMax ? parent : std::string();
}

}  // namespace kg::kernel
