#include "config/settings_reader.h"

#include <algorithm>
#include <string>

#include "config/values.h"

namespace kg::config {
namespace {

// Longer than the ALB's idle timeout, or its next request meets our FIN (domain A2).
uint32_t derived_keep_alive_ms(Millis alb_idle_timeout) {
  const auto idle = static_cast<uint32_t>(alb_idle_timeout.count());
  return idle + std::max<uint32_t>(15'000, idle / 4);
}

void warn_of_keep_alive(const Section& section, const Timeouts& timeouts, Millis alb_idle_timeout) {
  const auto alb_ms = static_cast<uint32_t>(alb_idle_timeout.count());
  if (timeouts.keep_alive_ms > alb_ms) return;
  section.problems().warn(
      section.place_of("keep_alive"),
      "not above alb.idle_timeout, so a load balancer's next request may meet a closed connection",
      "remove it: it derives from alb.idle_timeout");
}

Timeouts read_timeouts(const Section& section, Millis alb_idle_timeout) {
  Timeouts out;
  out.handshake_ms = read_ms(section, "handshake");
  out.request_head_ms = read_ms(section, "request_head");
  out.request_body_idle_ms = read_ms(section, "request_body_idle");
  out.write_stall_ms = read_ms(section, "write_stall");
  out.response_idle_ms = read_ms(section, "response_idle");
  out.keep_alive_ms = derived_keep_alive_ms(alb_idle_timeout);
  if (section.has("keep_alive")) {
    out.keep_alive_ms = read_ms(section, "keep_alive");
    warn_of_keep_alive(section, out, alb_idle_timeout);
  }
  if (const auto first_byte = section.map("first_byte")) {
    out.first_byte_ms.launch_margin = read_ms(*first_byte, "launch_margin");
    out.first_byte_ms.list = read_ms(*first_byte, "list");
    out.first_byte_ms.restart = read_ms(*first_byte, "restart");
    out.first_byte_ms.del = read_ms(*first_byte, "delete");
    out.first_byte_ms.upgrade = read_ms(*first_byte, "upgrade");
    out.first_byte_ms.other = read_ms(*first_byte, "other");
  }
  return out;
}

Limits read_limits(const Section& section) {
  Limits out;
  out.uri_bytes = section.value<uint64_t>("uri_bytes", parse_size);
  out.header_bytes = section.value<uint64_t>("header_bytes", parse_size);
  out.header_count = section.value<uint32_t>("header_count", parse_integer);
  out.body_min_rate = static_cast<uint32_t>(section.value<uint64_t>("body_min_rate", parse_size));
  out.requests_per_connection = section.value<uint32_t>("requests_per_connection", parse_integer);
  out.connections = section.value<uint32_t>("connections", parse_integer);
  out.connections_per_worker = section.value<uint32_t>("connections_per_worker", parse_integer);
  out.connections_per_address = section.value<uint32_t>("connections_per_address", parse_integer);
  out.memory_bytes = section.value<uint64_t>("memory_bytes", parse_size);
  out.requests_per_client = section.value<uint32_t>("requests_per_client", parse_integer);
  return out;
}

}  // namespace

Settings read_settings(const Section& root, Millis alb_idle_timeout) {
  Settings settings;
  settings.timeouts.keep_alive_ms = derived_keep_alive_ms(alb_idle_timeout);
  if (const auto timeouts = root.map("timeouts")) {
    settings.timeouts = read_timeouts(*timeouts, alb_idle_timeout);
  }
  if (const auto limits = root.map("limits")) settings.limits = read_limits(*limits);
  return settings;
}

}  // namespace kg::config
