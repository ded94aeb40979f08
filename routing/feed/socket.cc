#include "routing/feed/socket.h"

#include <array>
#include <cerrno>
#include <zmq.hpp>

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "routing/feed/limits.h"

namespace kg::feed {
namespace {

constexpr int kQueueMessages = 1'024;  // updates have credit, facts are counted: seconds of both
constexpr int kZmtpPingMs = 5'000;     // libzmq's own: finds connections that are dead below us
constexpr int kZmtpDeadMs = 10'000;
constexpr int kZmtpHandshakeMs = 10'000;
constexpr int kBacklog = 512;
constexpr char kAddressMark = 'k';  // libzmq's own names begin with zero

std::string random_address() {
  std::string address(kAddressBytes, kAddressMark);
  crypto::random_bytes(address.data() + 1, address.size() - 1);
  return address;
}

zmq::socket_type type_of(Socket::Kind kind) noexcept {
  switch (kind) {
    case Socket::Kind::kDealer:
      return zmq::socket_type::dealer;
    case Socket::Kind::kRouter:
      return zmq::socket_type::router;
    case Socket::Kind::kDoor:
      return zmq::socket_type::rep;
  }
  return zmq::socket_type::dealer;
}

void configure(zmq::socket_t& socket, const Socket::Options& options) {
  socket.set(zmq::sockopt::linger, 0);
  if (options.kind == Socket::Kind::kDoor) return;
  socket.set(zmq::sockopt::ipv6, true);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<int64_t>(options.bytes_max));
  socket.set(zmq::sockopt::sndhwm, kQueueMessages);
  socket.set(zmq::sockopt::rcvhwm, options.kind == Socket::Kind::kRouter ? 64 : kQueueMessages);
  socket.set(zmq::sockopt::heartbeat_ivl, kZmtpPingMs);
  socket.set(zmq::sockopt::heartbeat_timeout, kZmtpDeadMs);
  socket.set(zmq::sockopt::handshake_ivl, kZmtpHandshakeMs);
  const bool server = options.kind == Socket::Kind::kRouter;
  if (server) {
    socket.set(zmq::sockopt::router_mandatory, true);
    socket.set(zmq::sockopt::router_handover, true);
    socket.set(zmq::sockopt::backlog, kBacklog);
  } else {
    socket.set(zmq::sockopt::routing_id, random_address());
    socket.set(zmq::sockopt::immediate, true);  // says nothing to a connection that is not there
    socket.set(zmq::sockopt::reconnect_ivl, static_cast<int>(kReconnectMs));
    socket.set(zmq::sockopt::reconnect_ivl_max, static_cast<int>(kReconnectMsMax));
  }
  if (!options.keys) return;
  socket.set(zmq::sockopt::curve_secretkey, options.keys->secret_key.reveal());
  socket.set(zmq::sockopt::curve_publickey, options.keys->public_key);
  if (server) {
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::zap_domain, std::string_view("kernelgate"));
  } else {
    socket.set(zmq::sockopt::curve_serverkey, options.server_key);
  }
}

}  // namespace

bool is_address(std::string_view routing_id) noexcept {
  return routing_id.size() == kAddressBytes && routing_id.front() == kAddressMark;
}

Context::Context() : context_(std::make_unique<zmq::context_t>(1)) {
  // Its threads begin with a first socket, and end the process if they have no descriptors: now.
  const zmq::socket_t first(*context_, zmq::socket_type::dealer);
}
Context::~Context() = default;

std::unique_ptr<Socket> Socket::make(Context& context, event::EventLoop& loop,
                                     SocketHandler& handler, const Options& options,
                                     std::string& problem) {
  std::unique_ptr<Socket> out(new Socket(loop, handler, options.kind == Kind::kDealer));
  try {
    out->socket_ = std::make_unique<zmq::socket_t>(context.get(), type_of(options.kind));
    configure(*out->socket_, options);
    out->watcher_.watch(out->socket_->get(zmq::sockopt::fd));
  } catch (const zmq::error_t& error) {
    problem = std::string("a ZeroMQ socket cannot be made: ") + error.what();
    return nullptr;
  }
  loop.schedule_resume(*out);
  return out;
}

Socket::Socket(event::EventLoop& loop, SocketHandler& handler, bool tells_connection)
    : loop_(loop), handler_(handler), tells_connection_(tells_connection), watcher_(loop, *this) {}
Socket::~Socket() { close(); }

std::string Socket::bind(const std::string& address) {
  try {
    socket_->bind(address);
  } catch (const zmq::error_t& error) {
    return "cannot listen at " + address + ": " + error.what();
  }
  return "";
}

std::string Socket::connect(const std::string& address) {
  try {
    socket_->connect(address);
  } catch (const zmq::error_t& error) {
    return "cannot connect to " + address + ": " + error.what();
  }
  return "";
}

std::string Socket::bound_address() const { return socket_->get(zmq::sockopt::last_endpoint); }

Sent Socket::send(std::span<const std::string_view> frames) {
  if (socket_ == nullptr) return Sent::kGone;
  loop_.schedule_resume(*this);  // sending may have taken the descriptor's edge
  for (size_t i = 0; i < frames.size(); ++i) {
    const bool more = i + 1 < frames.size();
    const int sent = zmq_send(socket_->handle(), frames[i].data(), frames[i].size(),
                              ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
    if (sent >= 0) continue;
    // Only a first frame may fail: libzmq takes a message whole.
    return zmq_errno() == EAGAIN ? Sent::kFull : Sent::kGone;
  }
  return Sent::kYes;
}

void Socket::close() noexcept {
  watcher_.close();
  if (socket_ != nullptr) socket_->close();
  socket_.reset();
}

void Socket::run_task() {
  for (int i = 0; i < kMessagesPerTurnMax; ++i) {
    if (socket_ == nullptr) return;
    size_t size = sizeof(int);
    int events = 0;
    if (zmq_getsockopt(socket_->handle(), ZMQ_EVENTS, &events, &size) != 0) return;
    const bool writable = (events & ZMQ_POLLOUT) != 0;
    if (tells_connection_ && writable != connected_) {
      connected_ = writable;
      handler_.on_connection(writable);
      continue;
    }
    if ((events & ZMQ_POLLIN) == 0) return;
    if (!receive()) return;
  }
  if (socket_ != nullptr) loop_.schedule_resume(*this);
}

// A whole message: libzmq hands over none that has not come to its end.
bool Socket::receive() {
  std::array<zmq::message_t, kFramesMax> messages;
  std::array<std::string_view, kFramesMax> frames;
  size_t count = 0;
  bool more = true;
  zmq::message_t spare;
  while (more) {
    zmq::message_t& message = count < kFramesMax ? messages[count] : spare;
    if (zmq_msg_recv(message.handle(), socket_->handle(), ZMQ_DONTWAIT) < 0) return false;
    more = message.more();
    if (count < kFramesMax) frames[count] = message.to_string_view();
    ++count;
  }
  if (count > kFramesMax) count = 0;  // nothing that either side says: refused by who counts
  const char* user = count == 0 ? nullptr : zmq_msg_gets(messages[count - 1].handle(), "User-Id");
  handler_.on_message({frames.data(), count}, user != nullptr ? user : "");
  return true;
}

}  // namespace kg::feed
