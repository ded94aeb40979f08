// What is told of a kernel does not depend on how: one follower gets each message whole and knows
// most by their shape, the other gets them in two reads and has to look. The messages stand as
// programs write them, their values are anything.
#include "proxy/exchange/kernel_activity.h"

#include <string>

#include "proxy/base/ascii.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using exchange::KernelActivity;
using kernel::Framing;

struct Kind {
  std::string_view type;
  std::string_view channel;
};
constexpr Kind kAsked[] = {{"execute_request", "shell"}, {"comm_msg", "shell"},
                           {"input_reply", "stdin"},     {"kernel_info_request", "shell"},
                           {"comm_open", "shell"},       {"kernel_info_request", "control"}};
constexpr Kind kSaid[] = {{"stream", "iopub"},
                          {"status", "iopub"},
                          {"execute_reply", "shell"},
                          {"execute_input", "iopub"},
                          {"execute_result", "iopub"},
                          {"error", "iopub"},
                          {"comm_msg", "iopub"},
                          {"update_display_data", "iopub"},
                          {"display_data", "iopub"},
                          {"input_request", "stdin"},
                          {"streams", "iopub"},
                          {"clear_output", "iopub"},
                          {"kernel_info_reply", "shell"},
                          {"kernel_info_reply", "control"}};
constexpr std::string_view kStates[] = {"busy", "idle", "starting", "restarting", "dead", "else"};

// Of what is left of the input: its first byte says how much.
std::string quoted(std::string_view& input) {
  const std::string_view text = input.substr(0, choose(input, 48));
  input.remove_prefix(text.size());
  std::string out;
  ascii::json_quote(text, out);
  return out;
}

struct Parts {
  std::string channel, header, parent, content;
};

std::string v1(const Parts& parts) {
  std::string out;
  const auto number = [&out](uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift & 0xff);
  };
  const std::string_view all[] = {parts.channel, parts.header, parts.parent, "{}", parts.content};
  uint64_t at = 8 * (std::size(all) + 2);
  number(std::size(all) + 1);
  number(at);
  for (const std::string_view part : all) number(at += part.size());
  for (const std::string_view part : all) out += part;
  return out;
}

std::string legacy(const Parts& parts, bool of_client) {
  if (of_client) {
    return R"({"buffers":[],"channel":")" + parts.channel + R"(","content":)" + parts.content +
           R"(,"header":)" + parts.header + R"(,"metadata":{},"parent_header":{}})";
  }
  return R"({"header": )" + parts.header + R"(, "parent_header": )" + parts.parent +
         R"(, "metadata": {}, "content": )" + parts.content + R"(, "buffers": [], "channel": ")" +
         parts.channel + "\"}";
}

std::string frame(std::string_view payload, bool binary, bool of_client) {
  constexpr std::string_view kMask = "\x11\xf2\x83\x54";
  std::string out{static_cast<char>(binary ? 0x82 : 0x81)};
  const auto masked = static_cast<char>(of_client ? 0x80 : 0);
  if (payload.size() < 126) {
    out += static_cast<char>(masked | static_cast<char>(payload.size()));
  } else {
    out += static_cast<char>(masked | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  }
  if (!of_client) return out.append(payload);
  out += kMask;
  for (size_t i = 0; i < payload.size(); ++i) {
    out += static_cast<char>(payload[i] ^ kMask[i % kMask.size()]);
  }
  return out;
}

// One WebSocket as it is followed.
struct Follower {
  explicit Follower(Framing framing) : activity(framing, true, counters, times) {}
  void take(std::string_view bytes, bool of_client, uint64_t now_us) {
    websocket::FrameScanner& frames = of_client ? client : gateway;
    KG_ASSERT(frames.scan_frame(bytes) == bytes.size());
    of_client ? activity.client_said(bytes, frames, now_us)
              : activity.gateway_said(bytes, frames, now_us);
  }

  metrics::EndpointMetrics counters;
  metrics::CellMetrics times;
  websocket::FrameScanner client;
  websocket::FrameScanner gateway;
  KernelActivity activity;
};

bool equal(const metrics::Histogram& one, const metrics::Histogram& other) {
  bool same = one.sum_us() == other.sum_us();
  for (size_t i = 0; i <= metrics::kLatencyBoundsUs.size(); ++i) {
    same = same && one.bucket(i) == other.bucket(i);
  }
  return same;
}

void compare(const Follower& one, const Follower& other) {
  const KernelActivity& a = one.activity;
  const KernelActivity& b = other.activity;
  KG_ASSERT(a.state() == b.state() && a.cells_in_flight() == b.cells_in_flight());
  KG_ASSERT(a.last_human_us() == b.last_human_us());
  KG_ASSERT(a.last_message_us() == b.last_message_us());
  for (size_t i = 0; i < metrics::kMessageChannels; ++i) {
    KG_ASSERT(one.counters.kernel_messages[i].get() == other.counters.kernel_messages[i].get());
  }
  KG_ASSERT(one.counters.comm_messages.get() == other.counters.comm_messages.get());
  KG_ASSERT(one.counters.input_requests.get() == other.counters.input_requests.get());
  KG_ASSERT(equal(one.times.first_output, other.times.first_output));
  KG_ASSERT(equal(one.times.reply, other.times.reply));
}

}  // namespace

void run(std::string_view input) {
  const Framing framing = choose(input, 2) == 0 ? Framing::kLegacy : Framing::kV1;
  const bool binary = framing == Framing::kV1;
  Follower whole(framing);
  Follower torn(framing);
  std::string asked = "{}";
  uint64_t now_us = 1;
  while (!input.empty()) {
    const bool of_client = choose(input, 4) == 0;
    const Kind kind = of_client ? kAsked[choose(input, std::size(kAsked))]
                                : kSaid[choose(input, std::size(kSaid))];
    Parts parts{std::string(kind.channel), {}, of_client ? "{}" : asked, {}};
    const std::string type = "\"msg_type\": \"" + std::string(kind.type) + "\", ";
    if (of_client) {
      parts.header = R"({"date": "2026", "msg_id": )" + quoted(input) + ", " + type +
                     R"("session": "0f2c1f3e", "username": "", "version": "5.2"})";
      if (kind.type == "execute_request") asked = parts.header;
    } else {
      parts.header = R"({"msg_id": "17159c93_)" + std::to_string(now_us) + "\", " + type +
                     R"("username": "username", "session": "17159c93", "version": "5.3"})";
    }
    const std::string_view state = kStates[choose(input, std::size(kStates))];
    parts.content = kind.type == "status" ? R"({"execution_state": ")" + std::string(state) + "\"}"
                                          : R"({"text": )" + quoted(input) + "}";
    const std::string bytes =
        frame(binary ? v1(parts) : legacy(parts, of_client), binary, of_client);
    const size_t cut = 1 + choose(input, bytes.size() - 1);
    whole.take(bytes, of_client, now_us);
    torn.take(std::string_view(bytes).substr(0, cut), of_client, now_us);
    torn.take(std::string_view(bytes).substr(cut), of_client, now_us);
    compare(whole, torn);
    now_us += 100 + cut;
  }
}

}  // namespace kg::fuzz
