#include "proxy/upstream/upstream_connection.h"

#include "proxy/base/assert.h"
#include "proxy/upstream/pod_pool.h"

namespace kg::upstream {

UpstreamConnection::UpstreamConnection(event::EventLoop& loop, PodPool& pool,
                                       metrics::WorkerMetrics& metrics, tls::TlsPeer* peer)
    : pool_(pool),
      metrics_(metrics),
      tls_(peer == nullptr
               ? nullptr
               : std::make_unique<tls::TlsClientStream>(transport_, as_handler(), *peer)),
      transport_(loop, tls_ == nullptr ? as_handler() : *tls_, ErrorCode::kUpstreamReset),
      connect_deadline_(loop,
                        [this] {
                          fail({ErrorCode::kUpstreamConnectTimeout, "no connection in time", 0});
                        }),
      reader_(head_),
      opened_us_(event::monotonic_us()) {}

void UpstreamConnection::connect(event::Socket socket, uint32_t connect_ms) {
  transport_.connect(std::move(socket));
  connect_deadline_.set_ms(connect_ms);
}

event::Stream& UpstreamConnection::stream() noexcept {
  if (tls_ != nullptr) return *tls_;
  return transport_;
}

void UpstreamConnection::on_connected() {
  connect_deadline_.clear();
  connect_us_ = event::monotonic_us() - opened_us_;
  metrics_.upstream_connect.observe_us(connect_us_);
  if (tls_ != nullptr) {
    (tls_->resumed() ? metrics_.upstream_tls_resumed : metrics_.upstream_tls_full).add();
  }
  state_ = active_ ? State::kActive : State::kIdle;
}

void UpstreamConnection::begin(UpstreamHandler& handler, http::Method method) {
  KG_ASSERT(!active_ && (state_ == State::kIdle || state_ == State::kConnecting));
  handler_ = &handler;
  active_ = true;
  answer_began_ = head_done_ = false;
  interim_heads_ = 0;
  ++uses_;
  reader_.expect(method);
  if (state_ == State::kIdle) state_ = State::kActive;
}

void UpstreamConnection::become_tunnel() {
  KG_ASSERT(state_ == State::kActive);
  state_ = State::kTunnel;
  pool_.tunnel_opened();
  keep_alive_ = false;
  transport_.keep_quickack();
  transport_.keep_unsent();
}

void UpstreamConnection::on_data(std::string_view bytes) {
  while (!bytes.empty() && is_open()) {
    if (state_ == State::kTunnel) {
      if (handler_ != nullptr) handler_->on_tunnel_data(bytes);
      return;
    }
    if (state_ != State::kActive)
      return fail({ErrorCode::kUpstreamProtocol, "bytes nobody asked for", 0});
    answer_began_ = true;
    if (!(head_done_ ? read_body(bytes) : read_head(bytes))) return;
  }
}

// False when this connection must not be touched any more in this call.
bool UpstreamConnection::read_head(std::string_view& bytes) {
  const Result<size_t> taken = reader_.feed(bytes);
  if (!taken) {
    fail(taken.error());
    return false;
  }
  bytes.remove_prefix(*taken);
  if (!reader_.complete()) return true;
  if (head_.status >= 100 && head_.status < 200 && head_.status != 101) {
    if (++interim_heads_ > limits::kInterimHeadsMax) {
      fail({ErrorCode::kUpstreamProtocol, "too many interim answers", 0});
      return false;
    }
    if (handler_ != nullptr) handler_->on_interim_head(head_);
    reader_.reset();
    return is_open();
  }
  take_head(!bytes.empty());
  return is_open();
}

void UpstreamConnection::take_head(bool more_came) {
  head_done_ = true;
  keep_alive_ = head_.keep_alive;
  body_ = http::BodyReader(head_.framing, head_.content_length, ErrorCode::kUpstreamProtocol);
  const bool switched = head_.status == 101;
  if (handler_ != nullptr) handler_->on_response_head(head_);
  if (!is_open()) return;
  if (switched && state_ != State::kTunnel) {
    return fail({ErrorCode::kUpstreamProtocol, "101 that nobody asked for", 0});
  }
  if (switched) {
    reader_.reset();
  } else if (body_.done()) {
    if (more_came) keep_alive_ = false;  // as in read_body
    end_response();
  }
}

bool UpstreamConnection::read_body(std::string_view& bytes) {
  const Result<http::BodyReader::Piece> piece = body_.next(bytes);
  if (!piece) {
    fail(piece.error());
    return false;
  }
  bytes.remove_prefix(piece->consumed);
  if (!piece->payload.empty() && handler_ != nullptr) handler_->on_response_body(piece->payload);
  if (!is_open()) return false;
  if (!body_.done()) return true;
  // Bytes beyond the end of an answer belong to nothing: such a connection is not used again.
  if (!bytes.empty()) keep_alive_ = false;
  end_response();
  return false;
}

void UpstreamConnection::end_response() {
  active_ = false;
  state_ = State::kIdle;
  reader_.reset();
  UpstreamHandler* handler = handler_;
  if (handler != nullptr) handler->on_response_end();
}

void UpstreamConnection::on_end(bool clean) {
  switch (state_) {
    case State::kTunnel:
      if (handler_ != nullptr) handler_->on_tunnel_end();
      return;
    case State::kActive:
      keep_alive_ = false;
      if (!answer_began_) {
        return fail({ErrorCode::kUpstreamReset, "closed before it answered", 0});
      }
      if (!head_done_ || !body_.end_of_stream()) {
        return fail({ErrorCode::kUpstreamGone, "closed inside its answer", 0});
      }
      // Anybody on the way could have cut it short (RFC 9112 section 9.8).
      if (!clean) return fail({ErrorCode::kUpstreamGone, "closed without close_notify", 0});
      return end_response();
    case State::kConnecting:
    case State::kIdle:
    case State::kClosed:
      return fail({ErrorCode::kUpstreamReset, "closed while idle", 0});
  }
}

void UpstreamConnection::on_drained() {
  if (handler_ != nullptr) handler_->on_upstream_drained();
}

void UpstreamConnection::on_error(const Error& error) {
  Error told = error;
  if (told.code == ErrorCode::kUpstreamReset && answer_began_) {
    told.code = ErrorCode::kUpstreamGone;
  }
  fail(told);
}

void UpstreamConnection::fail(const Error& error) {
  UpstreamHandler* handler = handler_;
  if (error.code == ErrorCode::kUpstreamConnect) pool_.refused();
  if (error.code == ErrorCode::kUpstreamReset || error.code == ErrorCode::kUpstreamGone) {
    pool_.broke_off();
  }
  const bool owed = active_ || state_ == State::kTunnel;
  close();
  if (handler != nullptr && owed) handler->on_upstream_error(error);
}

void UpstreamConnection::close() noexcept {
  if (state_ == State::kClosed) return;
  if (state_ == State::kTunnel) pool_.tunnel_closed();
  state_ = State::kClosed;
  handler_ = nullptr;
  connect_deadline_.clear();
  stream().close();
  pool_.closed();
  pool_.forget(*this);
}

}  // namespace kg::upstream
