#include "bench/peers/echo_session.h"

#include <cstdint>
#include <cstring>

#include "proxy/base/ascii.h"
#include "proxy/websocket/handshake.h"

namespace kg::bench {

namespace {

// A kernel spec list as short as real ones begin: 200 bytes of JSON.
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\n"
    "Date: Sun, 01 Nov 2026 00:00:00 GMT\r\n"
    "Content-Length: 200\r\n"
    "\r\n"
    R"({"default":"python3","kernelspecs":{"python3":{"name":"python3","spec":{"argv":[],"env":{},)"
    R"("display_name":"Python 3","language":"python","interrupt_mode":"signal","metadata":{}},)"
    R"("resources":{}}}}     )";
static_assert(kAnswer.size() - (kAnswer.find("\r\n\r\n") + 4) == 200);

constexpr unsigned char kOpcodeClose = 0x8;
constexpr unsigned char kOpcodePing = 0x9;
constexpr unsigned char kOpcodePong = 0xa;

// The value of a field, by a scan of the head: names are compared without regard to case.
std::string_view field(std::string_view head, std::string_view name) {
  for (size_t line = head.find("\r\n"); line != std::string_view::npos;
       line = head.find("\r\n", line + 2)) {
    const std::string_view rest = head.substr(line + 2);
    if (rest.size() > name.size() && rest[name.size()] == ':' &&
        ascii::starts_with_ignore_case(rest, name)) {
      const std::string_view value = rest.substr(name.size() + 1);
      return ascii::trim(value.substr(0, value.find('\r')));
    }
  }
  return "";
}

void unmask(char* payload, size_t size, const char* mask) {
  uint32_t mask32 = 0;
  std::memcpy(&mask32, mask, 4);
  const uint64_t mask64 = (static_cast<uint64_t>(mask32) << 32U) | mask32;
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, payload + i, 8);
    word ^= mask64;
    std::memcpy(payload + i, &word, 8);
  }
  for (; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
}

uint64_t big_endian(const char* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = (value << 8U) | static_cast<unsigned char>(bytes[i]);
  return value;
}

void append_frame_header(unsigned char first, uint64_t length, std::string& output) {
  output.push_back(static_cast<char>(first));
  if (length < 126) {
    output.push_back(static_cast<char>(length));
    return;
  }
  const size_t length_bytes = length <= 0xffff ? 2 : 8;
  output.push_back(static_cast<char>(length_bytes == 2 ? 126 : 127));
  for (size_t i = length_bytes; i-- > 0;) {
    output.push_back(static_cast<char>((length >> (8 * i)) & 0xffU));
  }
}

}  // namespace

size_t EchoSession::take(char* input, size_t size, std::string& output) {
  size_t taken = 0;
  while (!over_ && taken < size) {
    const size_t step = upgraded_ ? take_frame(input + taken, size - taken, output)
                                  : take_request({input + taken, size - taken}, output);
    if (step == 0) break;
    taken += step;
  }
  if (size - taken >= kInputBytesMax) over_ = true;
  return taken;
}

size_t EchoSession::take_request(std::string_view input, std::string& output) {
  const size_t end = input.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  // Only the upgrade's path is looked into: reading fields would cost on every request.
  if (input.starts_with("GET /api/kernels/")) {
    const std::string_view key = field(input.substr(0, end + 2), "Sec-WebSocket-Key");
    if (!key.empty()) {
      output.append(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: ");
      output.append(websocket::accept_value(key)).append("\r\n\r\n");
      upgraded_ = true;
      return end + 4;
    }
  }
  if (!input.starts_with("GET ")) {  // a body would be taken for a request
    over_ = true;
    return 0;
  }
  output.append(kAnswer);
  return end + 4;
}

size_t EchoSession::take_frame(char* input, size_t size, std::string& output) {
  if (size < 2) return 0;
  const auto first = static_cast<unsigned char>(input[0]);
  const auto second = static_cast<unsigned char>(input[1]);
  const unsigned char opcode = first & 0x0fU;
  uint64_t length = second & 0x7fU;
  const size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  const size_t mask_at = 2 + length_bytes;
  const size_t header = mask_at + 4;
  if (size < header) return 0;
  if (length_bytes > 0) length = big_endian(input + 2, length_bytes);
  if ((second & 0x80U) == 0 || length > kInputBytesMax) {
    over_ = true;
    return 0;
  }
  if (size - header < length) return 0;
  char* payload = input + header;
  unmask(payload, length, input + mask_at);
  if (opcode != kOpcodePong) {
    const unsigned char answer = opcode == kOpcodePing ? (0x80U | kOpcodePong) : first;
    append_frame_header(answer, length, output);
    output.append(payload, length);
  }
  if (opcode == kOpcodeClose) over_ = true;
  return header + length;
}

}  // namespace kg::bench
