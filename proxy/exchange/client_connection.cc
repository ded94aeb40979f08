#include "proxy/exchange/client_connection.h"

#include <algorithm>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/local_reply.h"
#include "proxy/http/forwarding.h"

namespace kg::exchange {

using metrics::Limit;

ClientConnection::ClientConnection(WorkerContext& context, ConnectionTable& table,
                                   std::shared_ptr<const ListenerFacts> listener,
                                   const event::SocketAddress& peer,
                                   ClientCounts::Hold address_hold)
    : context_(context),
      table_(table),
      listener_(std::move(listener)),
      stream_(context.loop, *this, listener_->tls),
      deadline_(context.loop, [this] { on_deadline(); }),
      leftover_task_(*this),
      reader_(head_),
      address_hold_(std::move(address_hold)),
      peer_text_(peer.text()),
      peer_host_(peer.host_text()),
      opened_us_(event::monotonic_us()),
      peer_trusted_(listener_->trusted_proxies.contains(peer)) {
  context_.metrics.connections_open.add();
}

ClientConnection::~ClientConnection() { context_.metrics.connections_open.sub(); }

void ClientConnection::open(event::Socket socket) {
  stream_.open(std::move(socket));
  deadline_.set_ms(context_.settings.timeouts.handshake_ms);
}

ClientFacts ClientConnection::facts() const {
  ClientFacts facts;
  facts.address = peer_text_;
  if (peer_trusted_) facts.forwarded_for = http::forwarded_client(head_);
  if (certificate_ != nullptr) facts.certificate = certificate_->subject;
  facts.tls_resumed = stream_.handshake_done() && stream_.resumed();
  return facts;
}

Caller ClientConnection::caller() noexcept {
  return {session_slot_, peer_trusted_ ? http::forwarded_client(head_) : peer_host_};
}

KernelAccess& ClientConnection::kernel_access() {
  if (kernel_access_ == nullptr) kernel_access_ = std::make_unique<KernelAccess>();
  return *kernel_access_;
}

bool ClientConnection::comes_from(const event::AddressRanges& sources) const {
  const std::string host(peer_trusted_ ? http::forwarded_client(head_) : peer_host_);
  const auto address = event::SocketAddress::parse(host, 0);
  return address && sources.contains(*address);
}

bool ClientConnection::is_misdirected() const {
  if (peer_trusted_) return false;
  std::string storage;
  const std::string_view host = routing::normalised_host(head_.authority, storage);
  return !host.empty() && !stream_.speaks_for(host);
}

bool ClientConnection::may_reuse() const noexcept {
  return !last_request_ && !context_.draining && head_.keep_alive && !peer_ended_ &&
         requests_ < context_.settings.limits.requests_per_connection;
}

bool ClientConnection::is_websocket() const noexcept {
  return exchange_ != nullptr && exchange_->is_relaying();
}

bool ClientConnection::is_open_websocket() const noexcept {
  return exchange_ != nullptr && exchange_->is_open_relay();
}

bool ClientConnection::is_idle_websocket() const noexcept {
  return is_open_websocket() && exchange_->is_idle_relay();
}

std::optional<KernelSight> ClientConnection::kernel_sight() const {
  return is_open_websocket() ? exchange_->kernel_sight() : std::nullopt;
}

void ClientConnection::on_handshake_done() {
  KG_ASSERT(state_ == State::kHandshake);
  context_.metrics.tls_handshake.observe_us(event::monotonic_us() - opened_us_);
  (stream_.resumed() ? context_.metrics.tls_handshakes_resumed
                     : context_.metrics.tls_handshakes_full)
      .add();
  certificate_ = stream_.peer_certificate();
  await_head();
  if (last_request_) deadline_.set_ms(limits::kLingerMs);  // a drain waits for no idle connection
}

void ClientConnection::await_head() {
  state_ = State::kHead;
  const Limits& limits = context_.settings.limits;
  reader_.reset();
  reader_.set_limits({limits.uri_bytes, limits.header_bytes, limits.header_count});
  deadline_.set_ms(context_.settings.timeouts.keep_alive_ms);
}

void ClientConnection::on_data(std::string_view bytes) {
  in_data_ = true;
  while (!bytes.empty()) {
    if (state_ == State::kHead) {
      // Who does not take the answers gets no further ones made: on_drained goes on.
      const bool crowded = stream_.unsent() > limits::kPendingBytesHigh && !reader_.started();
      if (crowded) keep_leftover(bytes);
      if (crowded || !read_head(bytes)) break;
      continue;
    }
    if (state_ != State::kExchange) {  // Closing: dropped
      linger_on();
      break;
    }
    bytes.remove_prefix(exchange_->on_client_data(bytes));
    if (bytes.empty() || state_ != State::kExchange) continue;
    keep_leftover(bytes);
    break;
  }
  in_data_ = false;
}

void ClientConnection::keep_leftover(std::string_view bytes) {
  leftover_.append(bytes);
  stream_.pause(event::Pause::kPipelined);
}

// False when nothing is left to do with these bytes.
bool ClientConnection::read_head(std::string_view& bytes) {
  const bool fresh = !reader_.started();
  const Result<size_t> taken = reader_.feed(bytes);
  if (!taken) {
    refuse_head(taken.error());
    return false;
  }
  bytes.remove_prefix(*taken);
  if (reader_.complete()) {
    start_exchange();
    return true;
  }
  if (fresh && reader_.started()) deadline_.set_ms(context_.settings.timeouts.request_head_ms);
  return true;
}

void ClientConnection::start_exchange() {
  state_ = State::kExchange;
  deadline_.clear();
  if (++requests_ == context_.settings.limits.requests_per_connection) {
    context_.metrics.hit(Limit::kRequestsPerConnection);
  }
  exchange_ = std::make_unique<Exchange>(context_, *this);
  exchange_->start();
}

// A head that is not a request: answered, logged, and the connection ends, because where the next
// request would begin is unknown.
void ClientConnection::refuse_head(const Error& error) {
  count_head_limit(error);
  ExchangeRecord record;
  record.start();
  record.request_id = context_.next_request_id();
  record.error = error;
  record.status = error.row().status;
  context_.scratch.clear();
  append_error_reply(error, {record.request_id, true, false}, context_.scratch);
  stream_.write(context_.scratch);
  reader_.reset();  // what was read of a bad head is not logged
  record.finish(context_, nullptr, head_, facts());
  close_gracefully();
}

void ClientConnection::count_head_limit(const Error& error) noexcept {
  if (error.code == ErrorCode::kUriTooLong) context_.metrics.hit(Limit::kUriBytes);
  if (error.code == ErrorCode::kRequestTimeout) context_.metrics.hit(Limit::kRequestHead);
  if (error.code != ErrorCode::kHeadTooLarge) return;
  const bool large = head_.bytes.size() > context_.settings.limits.header_bytes;
  context_.metrics.hit(large ? Limit::kHeaderBytes : Limit::kHeaderCount);
}

void ClientConnection::exchange_finished(bool reuse) {
  KG_ASSERT(state_ == State::kExchange || state_ == State::kClosed);
  context_.loop.defer_delete(std::move(exchange_));
  if (state_ == State::kClosed) return table_.forget(*this);
  state_ = State::kHead;
  if (lost_) return close();
  if (!reuse || last_request_ || peer_ended_ || alerting_) return close_gracefully();
  await_head();
  stream_.resume(event::Pause::kPeerSlow);
  stream_.resume(event::Pause::kConnecting);
  if (!in_data_) offer_leftover();
}

void ClientConnection::offer_leftover() {
  if (leftover_.empty()) {
    stream_.resume(event::Pause::kPipelined);
  } else {
    context_.loop.schedule_resume(leftover_task_);
  }
}

void ClientConnection::take_leftover() {
  if (state_ == State::kClosed) return;
  const std::string bytes = std::exchange(leftover_, {});
  stream_.resume(event::Pause::kPipelined);
  on_data(bytes);
}

void ClientConnection::on_end(bool clean) {
  peer_ended_ = true;
  if (state_ == State::kExchange) return exchange_->on_client_end(clean);
  if (state_ == State::kHead) return close_gracefully();
  linger_once_sent();
}

void ClientConnection::on_drained() {
  if (state_ == State::kExchange) return exchange_->on_client_drained();
  if (state_ == State::kHead) return offer_leftover();
  if (state_ == State::kClosing) linger_once_sent();
}

void ClientConnection::on_error(const Error& error) {
  alerting_ = error.code == ErrorCode::kClientTls;
  if (!alerting_) peer_ended_ = lost_ = true;
  if (state_ == State::kHandshake) context_.metrics.tls_handshake_errors.add();
  if (state_ == State::kExchange) return exchange_->on_client_lost(error);
  // A close with unread bytes is a reset, and a reset eats the alert.
  if (alerting_ && state_ != State::kClosing) return close_gracefully();
  close();
}

void ClientConnection::on_deadline() {
  if (state_ == State::kExchange) return exchange_->on_deadline();
  if (state_ == State::kHead && reader_.started()) {
    return refuse_head({ErrorCode::kRequestTimeout, "head not complete in time", 0});
  }
  if (state_ == State::kHead) {
    if (!last_request_) context_.metrics.hit(Limit::kKeepAlive);
    return close_gracefully();
  }
  if (state_ == State::kHandshake) {
    context_.metrics.tls_handshake_errors.add();
    context_.metrics.hit(Limit::kHandshake);
  } else if (stream_.unsent() > 0) {
    context_.metrics.hit(Limit::kWriteStall);
  }
  close();
}

void ClientConnection::close_when_idle() {
  last_request_ = true;
  if (state_ == State::kHead && !reader_.started()) close_gracefully();
}

void ClientConnection::close_websocket(ErrorCode why) {
  if (is_open_websocket()) exchange_->close_relay(why);
}

void ClientConnection::close_gracefully() {
  if (state_ == State::kClosing || state_ == State::kClosed) return;
  state_ = State::kClosing;
  leftover_.clear();
  stream_.resume(event::Pause::kPeerSlow);
  stream_.resume(event::Pause::kConnecting);
  stream_.resume(event::Pause::kPipelined);
  deadline_.set_ms(context_.settings.timeouts.write_stall_ms);
  stream_.finish();
  linger_once_sent();  // a relay may have finished the stream long ago
}

void ClientConnection::linger_once_sent() {
  if (stream_.unsent() > 0) return;  // on_drained comes
  if (peer_ended_) return close();
  if (linger_end_us_ == 0) {
    linger_end_us_ = event::monotonic_us() + uint64_t{limits::kLingerLongestMs} * 1000;
  }
  deadline_.set_ms(limits::kLingerMs);
}

// A client that still sends has not looked at the answer yet.
void ClientConnection::linger_on() {
  const uint64_t now = event::monotonic_us();
  if (now >= linger_end_us_) return;  // or not all is sent yet
  deadline_.set_ms(std::min<uint64_t>(limits::kLingerMs, (linger_end_us_ - now) / 1000));
}

void ClientConnection::close() {
  if (state_ == State::kClosed) return;
  const bool running = state_ == State::kExchange;
  state_ = State::kClosed;
  deadline_.clear();
  stream_.close();
  if (running) return exchange_->abort();  // comes back through exchange_finished
  table_.forget(*this);
}

}  // namespace kg::exchange
