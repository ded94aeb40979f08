#include "proxy/kernel/running_cell.h"

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "proxy/kernel/message_peek.h"

namespace kg::kernel {
namespace {

using nlohmann::json;

constexpr size_t kParentBytesMax = 4'096;  // headers of Jupyter take about 200

// v1 (domain G34): the end of the content is the table's seventh word.
bool is_whole(Framing framing, std::string_view payload) {
  if (framing != Framing::kV1) return true;
  uint64_t end = 0;
  if (payload.size() < 7 * sizeof end) return false;
  std::memcpy(&end, payload.data() + 6 * sizeof end, sizeof end);
  return end <= payload.size();
}

}  // namespace

std::string running_cell(Framing framing, std::string_view payload) {
  const bool binary = framing == Framing::kV1;
  const MessagePeek message = peek_message(framing, Speaker::kGateway, binary, payload);
  if (message.cut || !is_whole(framing, payload)) return {};
  if (message.channel != Channel::kIopub) return {};
  if (message.type == MessageType::kUnknown) return {};
  if (message.type == MessageType::kStatus && message.state != ExecutionState::kBusy) return {};
  // It becomes a part of our own message, so it is read strictly and written anew.
  if (message.parent.size() > kParentBytesMax) return {};
  const json parent = json::parse(message.parent, nullptr, /*allow_exceptions=*/false);
  if (!parent.is_object()) return {};
  const auto type = parent.find("msg_type");
  if (type == parent.end() || *type != "execute_request") return {};
  std::string cell = parent.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  return cell.size() <= kParentBytesMax ? cell : std::string();
}

}  // namespace kg::kernel
