#include "config/websocket_reader.h"

#include <algorithm>

#include "config/values.h"

namespace kg::config {
namespace {

Parsed<uint64_t> parse_size_or_none(std::string_view text, const KeyInfo& info) {
  if (text == "none") return Parsed<uint64_t>::ok(WebSocketSettings{}.message_bytes_max);
  Parsed<uint64_t> parsed = parse_size(text, info);
  if (!parsed.value) parsed.remedy += ", or none";
  return parsed;
}

// Who may be silent for `ping_after` cannot be dead by then.
void check_dead_after(const Section& section, std::string_view name, uint32_t dead_after_ms,
                      uint32_t ping_after_ms) {
  if (dead_after_ms > ping_after_ms) return;
  section.problems().error(section.place_of(name),
                           "not above ping_after, so nobody could answer in time",
                           "raise it to three times ping_after");
}

}  // namespace

WebSocketSettings read_websocket(const Section& root, Millis alb_idle_timeout) {
  WebSocketSettings out;
  // A load balancer counts the silence of both sides together, and a ping needs its time to pass
  // (domain A1): half is safe.
  const auto most_ms = static_cast<uint32_t>(alb_idle_timeout.count() / 2);
  if (const auto section = root.map("websocket")) {
    out.ping_after_ms = read_ms(*section, "ping_after");
    out.client_dead_after_ms = read_ms(*section, "client_dead_after");
    out.gateway_dead_after_ms = read_ms(*section, "gateway_dead_after");
    out.message_bytes_max = section->value<uint64_t>("message_bytes_max", parse_size_or_none);
    out.kernel_activity = section->value<bool>("kernel_activity", parse_on_or_off);
    check_dead_after(*section, "client_dead_after", out.client_dead_after_ms, out.ping_after_ms);
    check_dead_after(*section, "gateway_dead_after", out.gateway_dead_after_ms, out.ping_after_ms);
    if (section->has("ping_after") && out.ping_after_ms > most_ms) {
      section->problems().warn(section->place_of("ping_after"),
                               "above half of alb.idle_timeout, so half of it is used",
                               "lower it, or raise the ALB's idle timeout and alb.idle_timeout");
    }
  }
  out.ping_after_ms = std::min(out.ping_after_ms, most_ms);
  return out;
}

}  // namespace kg::config
