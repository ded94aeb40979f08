#include "bench/peers/loop_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "bench/load/http_client.h"
#include "proxy/base/ascii.h"
#include "proxy/base/crypto.h"

namespace kg::bench {

namespace {

constexpr size_t kMaskAt = 4;     // of frames with a two-byte length
constexpr size_t kFrameHead = 8;  // then the payload
constexpr size_t kNumberAt = 8;   // in the payload: hexadecimal digits that differ in each message
constexpr size_t kNumberDigits = 8;
constexpr size_t kInputBytesMin = size_t{64} * 1024;
constexpr unsigned char kOpcodePing = 0x9;
constexpr unsigned char kOpcodePong = 0xa;

}  // namespace

LoopConnection::LoopConnection(const Target& target, const Workload& workload)
    : target_(target), workload_(workload) {}

LoopConnection::~LoopConnection() {
  if (fd_ >= 0) close(fd_);
}

Outcome<void> LoopConnection::open() {
  auto done = connect_socket();
  if (done && target_.tls) done = shake_hands();
  if (!done) return done;
  input_.resize(std::max(kInputBytesMin, 2 * workload_.message_bytes));
  if (workload_.websocket) {
    done = upgrade();
    if (!done) return done;
    make_frame();
  } else {
    request_ = request_head(target_, "GET", workload_.path) + "Accept: */*\r\n\r\n";
  }
  if (fcntl(fd_, F_SETFL, O_NONBLOCK) != 0) return Failure{"socket", std::strerror(errno)};
  return {};
}

Outcome<void> LoopConnection::connect_socket() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return Failure{"socket", std::strerror(errno)};
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const timeval limit{5, 0};  // of a step of the set-up; it takes milliseconds
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target_.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return Failure{"connect", std::strerror(errno)};
  }
  return {};
}

Outcome<void> LoopConnection::shake_hands() {
  tls_.reset(SSL_new(target_.context.get()));
  SSL_set_fd(tls_.get(), fd_);
  expect_server(target_, *tls_);
  ERR_clear_error();
  if (SSL_connect(tls_.get()) == 1) return {};
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  return Failure{"handshake", reason == nullptr ? "connection lost" : reason};
}

Outcome<void> LoopConnection::upgrade() {
  std::string nonce(16, '\0');
  crypto::random_bytes(nonce.data(), nonce.size());
  std::string request = request_head(
      target_, "GET",
      "/api/kernels/" + crypto::random_uuid() + "/channels?session_id=" + crypto::random_uuid());
  request.append("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n")
      .append("Sec-WebSocket-Key: " + ascii::base64_encode(nonce) + "\r\n\r\n");
  auto sent = write(request);
  if (!sent) return sent;
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    auto got = read(input_.data(), input_.size());
    if (!got) return got.failure();
    if (*got == 0) return Failure{"upgrade", "no answer"};
    head.append(input_.data(), *got);
  }
  if (!head.starts_with("HTTP/1.1 101 ")) {
    return Failure{"upgrade", head.substr(0, head.find('\r'))};
  }
  if (!head.ends_with("\r\n\r\n")) return Failure{"upgrade", "bytes after the answer"};
  return {};
}

// The payload reads like a kernel message, so that a proxy that looks into messages finds one.
void LoopConnection::make_frame() {
  payload_ = R"({"id":"")" + std::string(kNumberDigits, '0') +
             R"(","channel":"iopub","header":{"msg_type":"stream","version":"5.3"},)"
             R"("parent_header":{},"metadata":{},"content":{"name":"stdout","text":")";
  constexpr std::string_view kEnd = R"("}})";
  payload_.append(workload_.message_bytes - payload_.size() - kEnd.size(), 'x').append(kEnd);
  const size_t size = payload_.size();
  request_ = {static_cast<char>(0x81), static_cast<char>(0xfe), static_cast<char>(size >> 8U),
              static_cast<char>(size & 0xffU)};
  request_.resize(kFrameHead);
  crypto::random_bytes(request_.data() + kMaskAt, 4);
  request_.append(payload_);
  for (size_t i = 0; i < size; ++i) {
    request_[kFrameHead + i] = static_cast<char>(payload_[i] ^ request_[kMaskAt + i % 4]);
  }
}

void LoopConnection::number_frame() {
  constexpr char kHex[] = "0123456789abcdef";
  ++number_;
  for (size_t i = 0; i < kNumberDigits; ++i) {
    const size_t at = kNumberAt + i;
    payload_[at] = kHex[(number_ >> (4 * (kNumberDigits - 1 - i))) & 0xfU];
    request_[kFrameHead + at] = static_cast<char>(payload_[at] ^ request_[kMaskAt + at % 4]);
  }
}

Outcome<void> LoopConnection::send_next() {
  if (workload_.websocket) number_frame();
  return write(request_);
}

Outcome<void> LoopConnection::write(std::string_view bytes) {
  // One request in flight fits every socket buffer: a short write is a fault, not a case.
  const auto size = static_cast<int>(bytes.size());
  const auto sent = tls_ ? SSL_write(tls_.get(), bytes.data(), size)
                         : static_cast<int>(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  if (sent != size) return Failure{"write", "connection lost or blocked"};
  return {};
}

Outcome<size_t> LoopConnection::read(char* out, size_t size) {
  if (!tls_) {
    const ssize_t got = recv(fd_, out, size, 0);
    if (got > 0) return static_cast<size_t>(got);
    if (got < 0 && errno == EAGAIN) return size_t{0};
    return Failure{"read", got == 0 ? "connection closed" : std::strerror(errno)};
  }
  size_t got = 0;
  const int result = SSL_read_ex(tls_.get(), out, size, &got);
  if (result == 1) return got;
  if (SSL_get_error(tls_.get(), result) == SSL_ERROR_WANT_READ) return size_t{0};
  ERR_clear_error();
  return Failure{"read", "connection closed"};
}

Outcome<bool> LoopConnection::on_readable() {
  for (;;) {
    if (input_size_ == input_.size()) return Failure{"answer", "too large"};
    auto got = read(input_.data() + input_size_, input_.size() - input_size_);
    if (!got) return got.failure();
    if (*got == 0) return false;
    input_size_ += *got;
    auto complete = workload_.websocket ? take_frames() : take_answer();
    // Reading on after a complete answer would only cost a call that finds nothing.
    if (!complete || *complete) return complete;
  }
}

Outcome<bool> LoopConnection::take_answer() {
  const std::string_view input(input_.data(), input_size_);
  const size_t head_end = input.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return false;
  if (!input.starts_with("HTTP/1.1 200 ")) {
    return Failure{"answer", std::string(input.substr(0, input.find('\r')))};
  }
  const std::string_view head = input.substr(0, head_end + 2);
  size_t length = 0;
  bool has_length = false;
  for (size_t line = head.find("\r\n"); line + 2 < head.size();
       line = head.find("\r\n", line + 2)) {
    constexpr std::string_view kName = "content-length:";
    const std::string_view field = head.substr(line + 2);
    // The first letter decides for most fields without a call.
    if ((field[0] | 0x20) != 'c' || !ascii::starts_with_ignore_case(field, kName)) continue;
    const auto number = ascii::parse_decimal(
        ascii::trim(field.substr(kName.size(), field.find('\r') - kName.size())));
    if (number) length = *number;
    has_length = number.has_value();
    break;
  }
  if (!has_length) return Failure{"answer", "no Content-Length"};
  const std::string_view body = input.substr(head_end + 4);
  if (body.size() < length) return false;
  if (body_.empty()) body_ = body;
  if (body != body_) return Failure{"answer", "another body than the first one"};
  input_size_ = 0;
  return true;
}

Outcome<bool> LoopConnection::take_frames() {
  for (;;) {
    const std::string_view input(input_.data(), input_size_);
    if (input.size() < 2) return false;
    const auto opcode = static_cast<unsigned char>(input[0]) & 0x0fU;
    size_t length = static_cast<unsigned char>(input[1]);
    size_t header = 2;
    if (length >= 126) {
      if (length > 126) return Failure{"echo", "larger than sent"};
      header = 4;
      if (input.size() < header) return false;
      length = static_cast<size_t>(static_cast<unsigned char>(input[2]) << 8) |
               static_cast<unsigned char>(input[3]);
    }
    if (input.size() < header + length) return false;
    const std::string_view payload = input.substr(header, length);
    if (opcode == kOpcodePing) {
      std::string pong{static_cast<char>(0x80U | kOpcodePong), static_cast<char>(0x80U | length)};
      pong.append(4, '\0').append(payload);  // a mask of zeros
      auto sent = write(pong);
      if (!sent) return sent.failure();
      input_.erase(0, header + length);
      input_.resize(input_.size() + header + length);
      input_size_ -= header + length;
      continue;
    }
    if (opcode != 1 || payload != payload_) return Failure{"echo", "not what was sent"};
    if (header + length != input.size()) return Failure{"echo", "more than was sent"};
    input_size_ = 0;
    return true;
  }
}

}  // namespace kg::bench
