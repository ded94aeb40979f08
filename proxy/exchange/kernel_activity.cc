#include "proxy/exchange/kernel_activity.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "proxy/base/limits.h"

namespace kg::exchange {

using kernel::ExecutionState;
using kernel::MessagePeek;
using kernel::MessageType;
using kernel::PayloadBytes;
using kernel::Speaker;
using metrics::KernelState;
using websocket::FrameScanner;

namespace {

constexpr size_t kUnread = metrics::kMessageChannels - 1;
static_assert(kUnread == kernel::kChannelCount);

// `out` has room for `bytes`; `before`: of the frame's payload, what stood in front of them.
void unmask(std::string_view bytes, uint32_t mask, uint64_t before, char* out) noexcept {
  std::array<char, 4> key{};
  std::memcpy(key.data(), &mask, key.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    out[i] = static_cast<char>(bytes[i] ^ key[(before + i) % key.size()]);
  }
}

}  // namespace

KernelActivity::KernelActivity(kernel::Framing framing, bool readable,
                               metrics::EndpointMetrics& counters,
                               metrics::CellMetrics& times) noexcept
    : counters_(counters),
      times_(times),
      gateway_{Speaker::kGateway, kernel::MessageShape(false)},
      client_{Speaker::kClient, kernel::MessageShape(framing == kernel::Framing::kLegacy)},
      framing_(framing),
      kind_(framing == kernel::Framing::kV1 ? FrameScanner::Kind::kBinary
                                            : FrameScanner::Kind::kText),
      readable_(readable) {
  counters_.kernels[static_cast<size_t>(state_)].add();
}

KernelActivity::~KernelActivity() { counters_.kernels[static_cast<size_t>(state_)].sub(); }

// A whole message is told by its shape. False if it has none, or a value does not stand where it
// stood: then nothing was done.
bool KernelActivity::knows_of_gateway(std::string_view passed, const FrameScanner& frames,
                                      uint64_t now_us) {
  if (!frames.is_whole_message(passed.size(), kind_)) return false;
  const size_t at = frames.header_size();
  const PayloadBytes message{passed.data() + at, passed.size() - at, 0};
  const kernel::MessageShape& shape = gateway_.shape;
  const kernel::MessageShape::Slot* slot = shape.find<false>(message);
  if (slot == nullptr) return false;
  if (slot->type == MessageType::kStatus) {
    const ExecutionState state = shape.state(*slot, message);
    if (state == ExecutionState::kUnknown) return false;
    saw_known(slot->channel, now_us);
    move_to(state == ExecutionState::kIdle ? KernelState::kIdle : KernelState::kBusy);
    return true;
  }
  if (slot->type == MessageType::kOutput) {
    if (slot->short_type) {
      std::memcpy(&usual_.head, passed.data(), sizeof usual_.head);
      usual_.type = slot->type_first;
      usual_.behind_last = static_cast<uint32_t>(at + shape.type_at() + sizeof slot->type_first);
    }
    if (outputless_ == 0) {
      usual_.behind = usual_.behind_last;
      saw_known(slot->channel, now_us);
      return true;
    }
  }
  if (slot->type == MessageType::kOutput || slot->type == MessageType::kExecuteReply) {
    const uint64_t cell = shape.cell<false>(*slot, message);
    if (cell == 0) return false;
    saw_known(slot->channel, now_us);
    slot->type == MessageType::kOutput ? saw_output(cell, now_us) : saw_reply(cell, now_us);
    return true;
  }
  if (slot->type == MessageType::kUnknown) return false;
  saw_known(slot->channel, now_us);
  if (slot->type != MessageType::kExecuteInput) act(slot->type, Speaker::kGateway, 0, now_us);
  return true;
}

bool KernelActivity::knows_of_client(std::string_view passed, const FrameScanner& frames,
                                     uint64_t now_us) {
  constexpr size_t kMaskedHeaderMin = 6;
  const size_t at = frames.header_size();
  if (!frames.is_whole_message(passed.size(), kind_) || at < kMaskedHeaderMin) return false;
  PayloadBytes message{passed.data() + at, passed.size() - at, 0};
  std::memcpy(&message.mask, message.data - sizeof message.mask, sizeof message.mask);
  const kernel::MessageShape::Slot* slot = client_.shape.find<true>(message);
  if (slot == nullptr || slot->type == MessageType::kUnknown) return false;
  uint64_t cell = 0;
  if (slot->type == MessageType::kExecuteRequest) {
    cell = client_.shape.cell<true>(*slot, message);
    if (cell == 0) return false;
  }
  saw_known(slot->channel, now_us);
  act(slot->type, Speaker::kClient, cell, now_us);
  return true;
}

void KernelActivity::look(Side& side, std::string_view passed, const FrameScanner& frames,
                          uint64_t now_us) {
  if (frames.lost()) {
    readable_ = false;  // for good
    forget_cells();
    set_state(ExecutionState::kUnknown);
    return;
  }
  const FrameScanner::Piece piece = frames.piece(passed);
  if (!piece.data) return;
  last_message_us_ = now_us;
  if (piece.begins_message && piece.before == 0) {
    side.held.reset();
    side.binary = piece.binary;
    side.progress = piece.compressed || !readable_ ? Progress::kUnreadable : Progress::kLooking;
  }
  if (side.progress == Progress::kLooking) {
    side.held == nullptr ? look_at_first(side, piece, now_us) : look_at_more(side, piece, now_us);
  }
  if (!piece.ends_message) return;
  if (side.progress == Progress::kUnreadable) counters_.kernel_messages[kUnread].add();
  side.progress = Progress::kLooking;
}

// Nothing of the message is held yet.
void KernelActivity::look_at_first(Side& side, const FrameScanner::Piece& piece, uint64_t now_us) {
  const std::string_view window = piece.payload.substr(0, limits::kPeekBytesMax);
  const bool whole = piece.begins_message && piece.before == 0 && piece.ends_message;
  const bool last = piece.ends_message || window.size() == limits::kPeekBytesMax;
  if (piece.mask == 0) {
    if (tell(side, window, whole ? piece.payload : std::string_view(), last, now_us)) return;
    side.held = std::make_unique<std::string>(window);
    return;
  }
  std::array<char, limits::kPeekBytesMax> plain;  // NOLINT(*-member-init): written before read
  size_t size = std::min(window.size(), limits::kPeekFirstBytes);
  unmask(window.substr(0, size), piece.mask, piece.before, plain.data());
  const std::string_view first(plain.data(), size);
  const bool all = whole && size == piece.payload.size();
  if (tell(side, first, all ? first : std::string_view(), last && size == window.size(), now_us)) {
    return;
  }
  unmask(window.substr(size), piece.mask, piece.before + size, plain.data() + size);
  const std::string_view second(plain.data(), window.size());
  const bool seen_all = whole && second.size() == piece.payload.size();
  if (tell(side, second, seen_all ? second : std::string_view(), last, now_us)) return;
  side.held = std::make_unique<std::string>(second);
}

void KernelActivity::look_at_more(Side& side, const FrameScanner::Piece& piece, uint64_t now_us) {
  std::string& held = *side.held;
  const size_t before = held.size();
  const std::string_view more = piece.payload.substr(0, limits::kPeekBytesMax - before);
  held.resize(before + more.size());
  unmask(more, piece.mask, piece.before, held.data() + before);
  const bool last = piece.ends_message || held.size() == limits::kPeekBytesMax;
  if (tell(side, held, {}, last, now_us)) side.held.reset();
}

// Whether the message is known now, or never will be. `head`: as much of it as there is; `whole`:
// all of it, or empty; `last`: no more of it will be looked at.
bool KernelActivity::tell(Side& side, std::string_view head, std::string_view whole, bool last,
                          uint64_t now_us) {
  const MessagePeek message = kernel::peek_message(framing_, side.speaker, side.binary, head);
  if (message.cut && !last) return false;
  const bool of_client = side.speaker == Speaker::kClient;
  if (message.type == MessageType::kUnknown) {
    side.progress = Progress::kUnreadable;
    const bool large = head.size() == limits::kPeekBytesMax;
    if (of_client && large) last_human_us_ = now_us;  // no heartbeat is so large
    return true;
  }
  side.progress = Progress::kTold;
  const bool of_kind = side.binary == (kind_ == FrameScanner::Kind::kBinary);
  if (!whole.empty() && of_kind) side.shape.learn(whole, message);
  count(message.channel);
  if (message.type == MessageType::kStatus) set_state(message.state);
  act(message.type, side.speaker, kernel::id_key(of_client ? message.id : message.parent_id),
      now_us);
  return true;
}

void KernelActivity::act(MessageType type, Speaker speaker, uint64_t cell, uint64_t now_us) {
  switch (type) {
    case MessageType::kExecuteRequest:
      last_human_us_ = now_us;
      begin_cell(cell, now_us);
      break;
    case MessageType::kOutput:
      if (outputless_ > 0) saw_output(cell, now_us);
      break;
    case MessageType::kExecuteReply:
      saw_reply(cell, now_us);
      break;
    case MessageType::kComm:
      counters_.comm_messages.add();
      if (speaker == Speaker::kClient) last_human_us_ = now_us;
      break;
    case MessageType::kInputRequest:
      counters_.input_requests.add();
      break;
    case MessageType::kInputReply:
      last_human_us_ = now_us;
      break;
    default:
      break;
  }
}

void KernelActivity::begin_cell(uint64_t key, uint64_t now_us) {
  counters_.cells.add();
  if (cells_.size() == limits::kCellsFollowedMax) {
    counters_.cells_unfollowed.add();
    ++unfollowed_;
    return;
  }
  cells_.push_back({key, now_us, false});
  ++outputless_;
  usual_.behind = kNever;  // an output means something again
}

inline KernelActivity::Cell* KernelActivity::find_cell(uint64_t key) noexcept {
  for (Cell& each : cells_) {  // the first is nearly always the one: cheaper than std::find_if
    if (each.key == key) return &each;
  }
  return nullptr;
}

void KernelActivity::saw_output(uint64_t key, uint64_t now_us) {
  Cell* const cell = find_cell(key);
  if (cell == nullptr || cell->has_output) return;
  cell->has_output = true;
  if (--outputless_ == 0) usual_.behind = usual_.behind_last;
  times_.first_output.observe_us(now_us - cell->sent_us);
}

// A kernel runs cells in the order of their requests: those before this one are over too, whatever
// became of their replies.
void KernelActivity::saw_reply(uint64_t key, uint64_t now_us) {
  const Cell* const cell = find_cell(key);
  if (cell == nullptr) {
    if (unfollowed_ > 0) --unfollowed_;  // or another WebSocket's cell: replies come to their own
    return;
  }
  times_.reply.observe_us(now_us - cell->sent_us);
  const auto over = cells_.begin() + (cell - cells_.data()) + 1;
  const auto without =
      std::count_if(cells_.begin(), over, [](const Cell& each) { return !each.has_output; });
  outputless_ -= static_cast<uint32_t>(without);
  cells_.erase(cells_.begin(), over);
}

void KernelActivity::forget_cells() noexcept {
  cells_.clear();
  outputless_ = 0;
  unfollowed_ = 0;
}

void KernelActivity::set_state(ExecutionState state) noexcept {
  KernelState now = KernelState::kBusy;
  switch (state) {
    case ExecutionState::kUnknown:
      now = KernelState::kUnknown;
      break;
    case ExecutionState::kBusy:
      break;
    case ExecutionState::kIdle:
      now = KernelState::kIdle;
      break;
    case ExecutionState::kStarting:
    case ExecutionState::kRestarting:  // what ran is lost
      forget_cells();
      break;
    case ExecutionState::kDead:
      forget_cells();
      now = KernelState::kIdle;
      break;
  }
  move_to(now);
}

void KernelActivity::move_to(KernelState state) noexcept {
  if (state == state_) return;
  counters_.kernels[static_cast<size_t>(state_)].sub();
  counters_.kernels[static_cast<size_t>(state)].add();
  state_ = state;
}

}  // namespace kg::exchange
