// TlsClientStream: the client's side of TLS as a Stream, laid over a Transport that belongs to the
// same owner and has this stream as its handler.
//
// What is written before the handshake is done waits here; on_connected comes when it is. Records
// pass as in TlsStream: decrypted from the burst that the transport read, encrypted into its
// output. Owner:  an upstream connection, as a member; destroyed only between turns. Errors:
// on_error(kUpstreamTls) for a certificate that is not accepted, a failed handshake or a
//         broken record, with the reason as detail; what the transport says of itself passes.
// Ends:   on_end(true) at close_notify, on_end(false) at a FIN without it: a truncation
//         (RFC 8446 section 6.1), which only a body's own framing can heal (RFC 9112 section 9.8).
#pragma once

#include <memory>
#include <string_view>

#include "proxy/base/buffer.h"
#include "proxy/event/transport.h"
#include "proxy/tls/cipher_bio.h"
#include "proxy/tls/tls_client_context.h"

struct ssl_session_st;

namespace kg::tls {

struct SessionFree {
  void operator()(ssl_session_st* session) const noexcept;
};

// A peer as one thread knows it. Owner: the pool of its connections, which outlives them.
struct TlsPeer {
  std::shared_ptr<const TlsClientContext> context;
  PeerName name;
  std::unique_ptr<ssl_session_st, SessionFree> session;  // the last one it gave, to be resumed
};

class TlsClientStream final : public event::Stream, public event::TransportHandler {
 public:
  // `transport` may still be under construction.
  TlsClientStream(event::Transport& transport, event::TransportHandler& handler, TlsPeer& peer);
  ~TlsClientStream() override;

  bool resumed() const noexcept;

  void write(std::string_view bytes) override;
  size_t unsent() const noexcept override { return early_.size() + port_.transport.unsent(); }
  void pause(event::Pause reason) noexcept override { port_.transport.pause(reason); }
  void resume(event::Pause reason) noexcept override { port_.transport.resume(reason); }
  void finish() override;
  void close() noexcept override;
  uint64_t last_progress_us() const noexcept override { return port_.transport.last_progress_us(); }
  event::Delivery delivery() const noexcept override { return port_.transport.delivery(); }
  // Of records, which hold who knows what, only whether there are any.
  std::optional<std::string> take_back() override;

  // Called by OpenSSL: keeps the session.
  static int new_session_cb(ssl_st* ssl, ssl_session_st* session) noexcept;

 private:
  void on_connected() override;
  void on_data(std::string_view cipher) override;
  void on_end(bool clean) override;
  void on_drained() override { handler_.on_drained(); }
  void on_error(const Error& error) override { handler_.on_error(error); }
  bool shake_hands();
  void read_plain();
  void encrypt(std::string_view bytes);
  void say_close_notify() noexcept;
  void end_direction();
  const char* reason() const noexcept;
  void fail(const char* reason);

  event::TransportHandler& handler_;
  TlsPeer& peer_;
  CipherPort port_;
  SslHandle ssl_;
  Buffer early_;  // written before the handshake was done
  bool handshake_done_ = false;
  bool ended_ = false;     // nothing more comes from the peer
  bool broken_ = false;    // OpenSSL gave up: not one more record goes out
  bool finished_ = false;  // finish() was called
};

}  // namespace kg::tls
