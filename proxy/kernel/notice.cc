#include "proxy/kernel/notice.h"

#include <array>
#include <ctime>
#include <string>

#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"

namespace kg::kernel {
namespace {

constexpr std::string_view kChannel = "iopub";
constexpr std::string_view kStream = "stream";
constexpr std::string_view kStatus = "status";
constexpr std::string_view kEmpty = "{}";
constexpr std::string_view kProtocolVersion = "5.3";  // of the messages (JEP: 5.3 since 2017)

// With all six digits and Z: clients parse the date so (domain G30).
std::string iso_date(uint64_t wall_us) {
  const auto seconds = static_cast<time_t>(wall_us / 1'000'000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t size = strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
  const std::string fraction = std::to_string(wall_us % 1'000'000);
  return std::string(text.data(), size).append(6 - fraction.size(), '0') + fraction + "Z";
}

void append_member(std::string_view name, std::string_view value, std::string& out) {
  out += out.back() == '{' ? "" : ", ";
  ascii::json_quote(name, out);
  out += ": ";
  ascii::json_quote(value, out);
}

std::string header(std::string_view id, std::string_view type, std::string_view session,
                   uint64_t wall_us) {
  std::string out = "{";
  append_member("msg_id", id, out);
  append_member("msg_type", type, out);
  append_member("username", "kernelgate", out);
  append_member("session", session, out);
  append_member("date", iso_date(wall_us), out);
  append_member("version", kProtocolVersion, out);
  return out += "}";
}

std::string content(std::string_view text) {
  std::string out = "{";
  append_member("name", "stderr", out);
  append_member("text", text, out);
  return out += "}";
}

std::string legacy_message(std::string_view id, std::string_view type, std::string_view header,
                           std::string_view parent, std::string_view content) {
  std::string out = "{\"header\": ";
  out.append(header);
  append_member("msg_id", id, out);
  append_member("msg_type", type, out);
  out.append(", \"parent_header\": ").append(parent);
  out.append(", \"metadata\": ").append(kEmpty);
  out.append(", \"content\": ").append(content);
  out.append(", \"buffers\": []");
  append_member("channel", kChannel, out);
  return out += "}";
}

void append_little_endian(uint64_t value, std::string& out) {
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

// Count of offsets, the offsets (each part's begin, at last the end), the parts.
std::string v1_message(std::string_view header, std::string_view parent, std::string_view content) {
  const std::array<std::string_view, 5> parts{kChannel, header, parent, kEmpty, content};
  const uint64_t offsets = parts.size() + 1;
  std::string out;
  append_little_endian(offsets, out);
  uint64_t at = 8 * (offsets + 1);
  append_little_endian(at, out);
  for (const std::string_view part : parts) append_little_endian(at += part.size(), out);
  for (const std::string_view part : parts) out.append(part);
  return out;
}

struct Origin {
  std::string_view session;
  uint64_t wall_us;
};

std::string message(Framing framing, std::string_view type, std::string_view parent,
                    std::string_view content, const Origin& origin) {
  const std::string id = crypto::random_uuid();
  const std::string head = header(id, type, origin.session, origin.wall_us);
  return framing == Framing::kV1 ? v1_message(head, parent, content)
                                 : legacy_message(id, type, head, parent, content);
}

}  // namespace

Framing framing_of(std::string_view subprotocol) noexcept {
  return subprotocol == "v1.kernel.websocket.jupyter.org" ? Framing::kV1 : Framing::kLegacy;
}

std::string stderr_notice(Framing framing, std::string_view text, std::string_view parent,
                          std::string_view session, uint64_t wall_us) {
  const Origin origin{session, wall_us};
  return message(framing, kStream, parent.empty() ? kEmpty : parent, content(text), origin);
}

std::string dead_notice(Framing framing, std::string_view session, uint64_t wall_us) {
  return message(framing, kStatus, kEmpty, "{\"execution_state\": \"dead\"}", {session, wall_us});
}

}  // namespace kg::kernel
