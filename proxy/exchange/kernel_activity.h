// KernelActivity: what the kernel behind one open WebSocket is doing, read from the heads of the
// messages that pass: busy or idle, how long cells wait for their first output and their reply,
// what a human did last.
//
// It is told of bytes that have passed and changes none. Most messages are told by their shape
// (message_shape.h); of others at most kPeekBytesMax are looked at. Messages whose head comes in
// pieces, and only those, have that much held until it is whole. Where an extension was negotiated
// nothing is looked at.
// Owner:  the Exchange, across relays: a new connection to the same kernel is
// connection_replaced().
//         Thread: the worker's.
// Limits: kCellsFollowedMax cells are timed at a time, further ones are counted. No allocation,
//         lock or timer per message.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/worker_metrics.h"
#include "proxy/kernel/message_peek.h"
#include "proxy/kernel/message_shape.h"
#include "proxy/websocket/frame_scanner.h"

namespace kg::exchange {

class KernelActivity {
 public:
  // `readable`: no extension was negotiated. Times are monotonic, those of the turn.
  KernelActivity(kernel::Framing framing, bool readable, metrics::EndpointMetrics& counters,
                 metrics::CellMetrics& times) noexcept;
  ~KernelActivity();
  KernelActivity(const KernelActivity&) = delete;
  KernelActivity& operator=(const KernelActivity&) = delete;

  // `passed`: what one scan_frame() of that side's scanner has let pass.
  void gateway_said(std::string_view passed, const websocket::FrameScanner& frames,
                    uint64_t now_us) {
    if (is_usual(passed, frames)) [[likely]] {
      saw_known(kernel::Channel::kIopub, now_us);
    } else if (!knows_of_gateway(passed, frames, now_us)) [[unlikely]] {
      look(gateway_, passed, frames, now_us);
    }
  }
  void client_said(std::string_view passed, const websocket::FrameScanner& frames,
                   uint64_t now_us) {
    if (!knows_of_client(passed, frames, now_us)) look(client_, passed, frames, now_us);
  }
  // The gateway's side begins anew at a frame boundary; cells go on.
  void connection_replaced() noexcept {
    gateway_.held.reset();
    gateway_.progress = Progress::kLooking;
  }

  // Nothing that would be lost if the WebSocket closed now, as far as anybody knows.
  bool idle() const noexcept {
    return state_ == metrics::KernelState::kIdle && cells_in_flight() == 0;
  }
  metrics::KernelState state() const noexcept { return state_; }
  size_t cells_in_flight() const noexcept { return cells_.size() + unfollowed_; }
  uint64_t last_human_us() const noexcept { return last_human_us_; }  // 0: none yet, as below
  uint64_t last_message_us() const noexcept { return last_message_us_; }

 private:
  // How far one side's message that runs is known.
  enum class Progress : uint8_t { kLooking, kTold, kUnreadable };
  struct Side {
    kernel::Speaker speaker;
    kernel::MessageShape shape;
    std::unique_ptr<std::string> held{};  // its begin, unmasked
    bool binary = false;
    Progress progress = Progress::kLooking;
  };
  struct Cell {
    uint64_t key;  // kernel::id_key
    uint64_t sent_us;
    bool has_output;
  };

  // Most messages are outputs of a cell that has some already, and nothing follows from them. How
  // their frames begin, and the type that stands in them.
  struct Usual {
    uint64_t type = 0;
    uint32_t behind = kNever;       // the end of it
    uint32_t behind_last = kNever;  // the same, whether outputs are waited for or not
    uint16_t head = 0;
  };
  static constexpr uint32_t kNever = 0x7fff'ffff;  // no frame that passes whole is so large

  bool is_usual(std::string_view passed, const websocket::FrameScanner& frames) const noexcept {
    if (!frames.is_whole_frame(passed.size()) || passed.size() < usual_.behind) return false;
    uint16_t head = 0;
    uint64_t type = 0;
    std::memcpy(&head, passed.data(), sizeof head);
    std::memcpy(&type, passed.data() + usual_.behind - sizeof type, sizeof type);
    return head == usual_.head && type == usual_.type;
  }
  bool knows_of_gateway(std::string_view passed, const websocket::FrameScanner& frames,
                        uint64_t now_us);
  bool knows_of_client(std::string_view passed, const websocket::FrameScanner& frames,
                       uint64_t now_us);
  void saw_known(kernel::Channel channel, uint64_t now_us) noexcept {
    last_message_us_ = now_us;
    count(channel);
  }
  void look(Side& side, std::string_view passed, const websocket::FrameScanner& frames,
            uint64_t now_us);
  void look_at_first(Side& side, const websocket::FrameScanner::Piece& piece, uint64_t now_us);
  void look_at_more(Side& side, const websocket::FrameScanner::Piece& piece, uint64_t now_us);
  bool tell(Side& side, std::string_view head, std::string_view whole, bool last, uint64_t now_us);
  void count(kernel::Channel channel) noexcept {
    counters_.kernel_messages[static_cast<size_t>(channel)].add();
  }
  void act(kernel::MessageType type, kernel::Speaker speaker, uint64_t cell, uint64_t now_us);
  void begin_cell(uint64_t key, uint64_t now_us);
  void saw_output(uint64_t key, uint64_t now_us);
  void saw_reply(uint64_t key, uint64_t now_us);
  Cell* find_cell(uint64_t key) noexcept;  // null: it is not followed
  void forget_cells() noexcept;
  void set_state(kernel::ExecutionState state) noexcept;

  void move_to(metrics::KernelState state) noexcept;

  metrics::EndpointMetrics& counters_;
  metrics::CellMetrics& times_;
  Usual usual_;  // while no cell waits for its first output
  Side gateway_;
  Side client_;
  kernel::Framing framing_;
  websocket::FrameScanner::Kind kind_;  // of messages that are told by their shape
  bool readable_;
  metrics::KernelState state_ = metrics::KernelState::kUnknown;
  uint32_t outputless_ = 0;  // of cells_
  uint32_t unfollowed_ = 0;  // cells in flight beyond them
  std::vector<Cell> cells_;  // in flight, in the order of their requests
  uint64_t last_human_us_ = 0;
  uint64_t last_message_us_ = 0;
};

}  // namespace kg::exchange
