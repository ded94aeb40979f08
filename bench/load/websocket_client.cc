#include "bench/load/websocket_client.h"

#include <array>
#include <cstdint>
#include <utility>

#include "bench/load/http_client.h"
#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"
#include "proxy/websocket/handshake.h"

namespace kg::bench {

namespace {

constexpr unsigned char kOpcodeContinuation = 0x0;
constexpr unsigned char kOpcodeText = 0x1;
constexpr unsigned char kOpcodeClose = 0x8;
constexpr unsigned char kOpcodePing = 0x9;
constexpr unsigned char kOpcodePong = 0xa;
constexpr uint16_t kCloseNormal = 1000;

uint8_t byte_at(std::string_view bytes, size_t index) { return static_cast<uint8_t>(bytes[index]); }

std::string first_bytes(std::string_view text) { return std::string(text.substr(0, 200)); }

}  // namespace

Outcome<std::unique_ptr<WebsocketClient>> WebsocketClient::open(const Target& target,
                                                                const std::string& path,
                                                                Deadline deadline,
                                                                const Stop* stop) {
  auto connection = Connection::open(target, deadline, stop);
  if (!connection) return connection.failure();
  std::unique_ptr<WebsocketClient> client(new WebsocketClient(std::move(*connection)));
  std::array<char, 16> nonce;
  crypto::random_bytes(nonce.data(), nonce.size());
  const std::string key = ascii::base64_encode({nonce.data(), nonce.size()});
  std::string request = request_head(target, "GET", path);
  request
      .append(
          "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: ")
      .append(key)
      .append("\r\n\r\n");
  auto sent = client->connection_->write_all(request, deadline);
  if (!sent) return sent.failure();
  http::ResponseHead head;
  auto read = read_head(*client->connection_, http::Method::kGet, head, client->input_, deadline);
  if (!read) return read.failure();
  if (head.status != 101) {
    return Failure{"status " + std::to_string(head.status), first_bytes(client->input_)};
  }
  if (!head.upgrade_websocket ||
      head.find("Sec-WebSocket-Accept") != websocket::accept_value(key)) {
    return Failure{"protocol", "the answer to the upgrade is not valid"};
  }
  return client;
}

Outcome<void> WebsocketClient::send_frame(unsigned char opcode, std::string_view payload,
                                          Deadline deadline) {
  std::string frame;
  frame.reserve(payload.size() + 14);
  frame.push_back(static_cast<char>(0x80U | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80U | payload.size()));
  } else {
    const size_t length_bytes = payload.size() <= 0xffff ? 2 : 8;
    frame.push_back(static_cast<char>(length_bytes == 2 ? 0xfe : 0xff));
    for (size_t i = length_bytes; i-- > 0;) {
      frame.push_back(static_cast<char>((payload.size() >> (8 * i)) & 0xffU));
    }
  }
  std::array<char, 4> mask;
  crypto::random_bytes(mask.data(), mask.size());
  frame.append(mask.data(), mask.size());
  const size_t start = frame.size();
  frame.append(payload);
  for (size_t i = 0; i < payload.size(); ++i) {
    frame[start + i] = static_cast<char>(frame[start + i] ^ mask[i % 4]);
  }
  return connection_->write_all(frame, deadline);
}

Outcome<void> WebsocketClient::send_text(std::string_view text, Deadline deadline) {
  return send_frame(kOpcodeText, text, deadline);
}

Outcome<void> WebsocketClient::fill(size_t bytes, Deadline deadline) {
  if (begin_ > 0 && input_.size() - begin_ < bytes) {
    input_.erase(0, begin_);
    begin_ = 0;
  }
  std::array<char, 65'536> chunk;
  while (input_.size() - begin_ < bytes) {
    auto got = connection_->read_some(chunk.data(), chunk.size(), deadline);
    if (!got) return got.failure();
    if (*got == 0) return Failure{"closed", "without a Close frame"};
    input_.append(chunk.data(), *got);
  }
  return {};
}

Outcome<WebsocketClient::Frame> WebsocketClient::receive_frame(Deadline deadline) {
  auto filled = fill(2, deadline);
  if (!filled) return filled.failure();
  Frame frame;
  const uint8_t first = byte_at(input_, begin_);
  const uint8_t second = byte_at(input_, begin_ + 1);
  frame.fin = (first & 0x80U) != 0;
  frame.opcode = first & 0x0fU;
  // No extension was offered, and a server never masks (RFC 6455 section 5.1, 5.2).
  if ((first & 0x70U) != 0 || (second & 0x80U) != 0) return Failure{"protocol", "invalid frame"};
  uint64_t length = second & 0x7fU;
  const size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (length_bytes > 0) {
    filled = fill(2 + length_bytes, deadline);
    if (!filled) return filled.failure();
    length = 0;
    for (size_t i = 0; i < length_bytes; ++i) {
      length = (length << 8U) | byte_at(input_, begin_ + 2 + i);
    }
  }
  if (length > kMessageBytesMax) return Failure{"protocol", "message is too large"};
  const size_t header = 2 + length_bytes;
  filled = fill(header + length, deadline);
  if (!filled) return filled.failure();
  frame.payload = input_.substr(begin_ + header, length);
  begin_ += header + length;
  return frame;
}

Outcome<std::string> WebsocketClient::receive_text(Deadline deadline) {
  std::string message;
  for (;;) {
    auto frame = receive_frame(deadline);
    if (!frame) return frame.failure();
    if (frame->opcode == kOpcodePing) {
      auto sent = send_frame(kOpcodePong, frame->payload, deadline);
      if (!sent) return sent.failure();
    } else if (frame->opcode == kOpcodeClose) {
      std::string detail = "without a code";
      if (frame->payload.size() >= 2) {
        const int code = byte_at(frame->payload, 0) << 8 | byte_at(frame->payload, 1);
        detail = std::to_string(code) + " " + frame->payload.substr(2);
      }
      return Failure{"closed", detail};
    } else if (frame->opcode == kOpcodeText || frame->opcode == kOpcodeContinuation) {
      message.append(frame->payload);
      if (message.size() > kMessageBytesMax) return Failure{"protocol", "message is too large"};
      if (frame->fin) return message;
    } else if (frame->opcode != kOpcodePong) {
      return Failure{"protocol", "a binary message without being asked for"};
    }
  }
}

void WebsocketClient::close(Deadline deadline) {
  const std::string code{static_cast<char>(kCloseNormal >> 8U),
                         static_cast<char>(kCloseNormal & 0xffU)};
  if (!send_frame(kOpcodeClose, code, deadline)) return;
  for (;;) {
    auto frame = receive_frame(deadline);
    if (!frame || frame->opcode == kOpcodeClose) return;
  }
}

}  // namespace kg::bench
