#include "proxy/kernel/message_peek.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include "proxy/kernel/json_scan.h"

namespace kg::kernel {
namespace {

static_assert(std::endian::native == std::endian::little);

struct TypeRow {
  std::string_view name;
  MessageType type;
  Channel from_client;
  Channel from_gateway;
};
// Those that mean something here, and where each side says them.
constexpr TypeRow kTypes[] = {
    {"stream", MessageType::kOutput, Channel::kUnknown, Channel::kIopub},
    {"status", MessageType::kStatus, Channel::kUnknown, Channel::kIopub},
    {"execute_input", MessageType::kExecuteInput, Channel::kUnknown, Channel::kIopub},
    {"execute_result", MessageType::kOutput, Channel::kUnknown, Channel::kIopub},
    {"execute_reply", MessageType::kExecuteReply, Channel::kUnknown, Channel::kShell},
    {"execute_request", MessageType::kExecuteRequest, Channel::kShell, Channel::kUnknown},
    {"display_data", MessageType::kOutput, Channel::kUnknown, Channel::kIopub},
    {"update_display_data", MessageType::kOutput, Channel::kUnknown, Channel::kIopub},
    {"error", MessageType::kOutput, Channel::kUnknown, Channel::kIopub},
    {"comm_msg", MessageType::kComm, Channel::kShell, Channel::kIopub},
    {"comm_open", MessageType::kComm, Channel::kShell, Channel::kIopub},
    {"comm_close", MessageType::kComm, Channel::kShell, Channel::kIopub},
    {"input_request", MessageType::kInputRequest, Channel::kUnknown, Channel::kStdin},
    {"input_reply", MessageType::kInputReply, Channel::kStdin, Channel::kUnknown},
};

const TypeRow* row_of(std::string_view name) noexcept {
  const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeRow& each) { return each.name == name; });
  return row == std::end(kTypes) ? nullptr : row;
}

Channel channel_of(std::string_view name) noexcept {
  if (name == "iopub") return Channel::kIopub;
  if (name == "shell") return Channel::kShell;
  if (name == "stdin") return Channel::kStdin;
  return name == "control" ? Channel::kControl : Channel::kUnknown;
}

ExecutionState state_of(std::string_view name) noexcept {
  if (name == "busy") return ExecutionState::kBusy;
  if (name == "idle") return ExecutionState::kIdle;
  if (name == "starting") return ExecutionState::kStarting;
  if (name == "restarting" || name == "autorestarting") return ExecutionState::kRestarting;
  return name == "dead" ? ExecutionState::kDead : ExecutionState::kUnknown;
}

// One message on its way to be known.
class Look {
 public:
  explicit Look(Speaker speaker) noexcept : speaker_(speaker) {}

  void legacy(std::string_view json) noexcept;
  void v1(std::string_view head) noexcept;
  MessagePeek result() noexcept;

 private:
  bool header(JsonScan& scan) noexcept;
  bool parent(JsonScan& scan) noexcept;
  bool content(JsonScan& scan) noexcept;
  bool member(std::string_view key, JsonScan& scan) noexcept;
  bool all_known() const noexcept;

  Speaker speaker_;
  MessagePeek peek_;
  const TypeRow* row_ = nullptr;
  bool header_seen_ = false;  // whole, as the next
  bool parent_seen_ = false;
  bool state_seen_ = false;
};

bool Look::header(JsonScan& scan) noexcept {
  header_seen_ = scan.for_members([&](std::string_view key) {
    if (key == "msg_id") return scan.take_string(peek_.id);
    if (key != "msg_type") return scan.skip();
    if (!scan.take_string(peek_.type_name)) return false;
    row_ = row_of(peek_.type_name);
    peek_.type = row_ == nullptr ? MessageType::kOther : row_->type;
    return true;
  });
  return header_seen_;
}

// A request of the gateway's own has none: {}.
bool Look::parent(JsonScan& scan) noexcept {
  const char* const begin = scan.at();
  parent_seen_ = scan.for_members([&](std::string_view key) {
    return key == "msg_id" ? scan.take_string(peek_.parent_id) : scan.skip();
  });
  if (parent_seen_) peek_.parent = {begin, static_cast<size_t>(scan.at() - begin)};
  return parent_seen_;
}

bool Look::content(JsonScan& scan) noexcept {
  const bool whole = scan.for_members([&](std::string_view key) {
    if (key != "execution_state") return scan.skip();
    if (!scan.take_string(peek_.state_name)) return false;
    state_seen_ = true;
    return !all_known();
  });
  state_seen_ = state_seen_ || whole;
  return whole;
}

bool Look::all_known() const noexcept {
  if (!header_seen_ || peek_.type == MessageType::kUnknown || peek_.id.empty()) return false;
  if (speaker_ == Speaker::kGateway && !parent_seen_) return false;
  if (peek_.type == MessageType::kStatus && !state_seen_) return false;
  return row_ != nullptr || peek_.channel != Channel::kUnknown;
}

bool Look::member(std::string_view key, JsonScan& scan) noexcept {
  if (key == "header") return header(scan) && !all_known();
  if (key == "parent_header") return parent(scan) && !all_known();
  if (key == "content") return content(scan) && !all_known();
  if (key != "channel") return scan.skip();
  std::string_view name;
  if (!scan.take_string(name)) return false;
  peek_.channel = channel_of(name);
  return !all_known();
}

void Look::legacy(std::string_view json) noexcept {
  JsonScan scan(json);
  scan.for_members([&](std::string_view key) { return member(key, scan); });
  peek_.cut = scan.failed() && scan.at_end();
}

uint64_t word(std::string_view bytes, size_t at) noexcept {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// Channel, header, parent header, metadata, content; buffers may follow.
void Look::v1(std::string_view head) noexcept {
  constexpr size_t kParts = 5;
  constexpr size_t kTableBytes = 8 * (kParts + 2);  // the count, five begins, an end
  if (head.size() < kTableBytes) {
    peek_.cut = true;
    return;
  }
  if (word(head, 0) < kParts + 1) return;
  std::array<std::string_view, kParts> parts;
  for (size_t i = 0; i < kParts; ++i) {
    const uint64_t begin = word(head, 8 * (i + 1));
    const uint64_t end = word(head, 8 * (i + 2));
    if (begin < kTableBytes || begin > end) return;
    if (end > head.size()) peek_.cut = true;
    if (begin < head.size()) parts[i] = head.substr(begin, end - begin);
  }
  peek_.channel = channel_of(parts[0]);
  JsonScan own(parts[1]);
  header(own);
  JsonScan cause(parts[2]);
  parent(cause);
  if (peek_.type == MessageType::kStatus) {
    JsonScan said(parts[4]);
    content(said);
  }
  // Whatever is cut off behind what was wanted does not matter.
  peek_.cut = peek_.cut && !all_known();
}

MessagePeek Look::result() noexcept {
  if (peek_.type == MessageType::kUnknown) return peek_;
  if (row_ != nullptr && peek_.channel == Channel::kUnknown) {
    peek_.channel = speaker_ == Speaker::kClient ? row_->from_client : row_->from_gateway;
  }
  if (peek_.type == MessageType::kStatus) {
    peek_.state = state_of(peek_.state_name);
  } else {
    peek_.state_name = {};
  }
  return peek_;
}

// Where the JSON stands in a legacy message with buffers, as far as `head` reaches.
std::optional<std::string_view> json_of_binary(std::string_view head, bool& cut) noexcept {
  const auto number = [head](size_t at) {
    uint32_t value = 0;
    std::memcpy(&value, head.data() + at, sizeof value);
    return static_cast<size_t>(__builtin_bswap32(value));
  };
  cut = head.size() < 12;
  if (cut) return std::nullopt;
  const size_t parts = number(0);
  const size_t begin = number(4);
  if (parts == 0 || begin != 4 * (parts + 1)) return std::nullopt;
  const size_t end = parts == 1 ? head.size() : number(8);
  if (end < begin) return std::nullopt;
  cut = begin >= head.size();
  if (cut) return std::nullopt;
  return head.substr(begin, end - begin);
}

}  // namespace

MessagePeek peek_message(Framing framing, Speaker speaker, bool binary,
                         std::string_view head) noexcept {
  Look look(speaker);
  if (framing == Framing::kV1) {
    if (binary) look.v1(head);
  } else if (!binary) {
    look.legacy(head);
  } else {
    MessagePeek nothing;
    const auto json = json_of_binary(head, nothing.cut);
    if (!json) return nothing;
    look.legacy(*json);
  }
  return look.result();
}

uint64_t id_key(std::string_view id) noexcept {
  constexpr size_t kWord = sizeof(uint64_t);
  if (id.size() >= kWord) return mix_id(word(id, 0), word(id, id.size() - kWord), id.size());
  uint64_t first = 0;
  if (!id.empty()) std::memcpy(&first, id.data(), id.size());  // an empty one may point nowhere
  return mix_id(first, 0, id.size());
}

}  // namespace kg::kernel
