// TlsStream: a server-side TLS connection as a Stream, over a Transport.
//
// Records are decrypted from the burst that the transport read and encrypted into the transport's
// output, through a BIO of our own: no read or write call is OpenSSL's. A burst is decrypted whole,
// so no ciphertext waits anywhere but in a started record inside OpenSSL.
// What is written in one turn goes into as few records as it fits: an answer's head and a small
// body are one, which spares both ends the work of a record each.
// Owner:  a client connection, as a member; destroyed only between turns.
// Errors: on_error(kClientTls) for a failed handshake or a broken record; the transport lives on,
//         so that finish() can send the alert, and what the peer still says is dropped.
//         on_error(kClientGone) for a dead transport, or a peer that ended in the handshake.
// Ends:   on_end(true) at close_notify, on_end(false) at a FIN without it (a truncation,
//         RFC 8446 6.1), or at the peer's end after on_error(kClientTls).
#pragma once

#include <memory>
#include <string_view>

#include "proxy/base/buffer.h"
#include "proxy/base/peer_certificate.h"
#include "proxy/event/transport.h"
#include "proxy/tls/cipher_bio.h"
#include "proxy/tls/ssl_handle.h"
#include "proxy/tls/tls_context.h"

namespace kg::tls {

class TlsHandler : public event::StreamHandler {
 public:
  virtual void on_handshake_done() = 0;

 protected:
  ~TlsHandler() = default;
};

class TlsStream final : public event::Stream, private event::TransportHandler {
 public:
  TlsStream(event::EventLoop& loop, TlsHandler& handler, std::shared_ptr<const TlsContext> context);
  ~TlsStream() override;

  void open(event::Socket socket) { transport_.open(std::move(socket)); }
  bool handshake_done() const noexcept { return handshake_done_; }
  bool resumed() const noexcept;
  // After the handshake. See TlsContext.
  bool speaks_for(std::string_view host) const { return TlsContext::speaks_for(ssl_.get(), host); }
  // Of the client's verified certificate; null without one.
  std::unique_ptr<const PeerCertificate> peer_certificate() const;

  void write(std::string_view bytes) override;
  size_t unsent() const noexcept override { return transport_.unsent() + plain_.size(); }
  void pause(event::Pause reason) noexcept override { transport_.pause(reason); }
  void resume(event::Pause reason) noexcept override { transport_.resume(reason); }
  void finish() override;
  void close() noexcept override;
  uint64_t last_progress_us() const noexcept override { return transport_.last_progress_us(); }
  event::Delivery delivery() const noexcept override { return transport_.delivery(); }

 private:
  void on_data(std::string_view cipher) override;
  void on_end(bool clean) override;
  void on_drained() override { handler_.on_drained(); }
  void on_error(const Error& error) override;
  void before_send() override { seal(); }
  bool shake_hands();
  void read_plain();
  void seal() noexcept;
  void encrypt(std::string_view bytes) noexcept;
  void fail(const char* detail);

  TlsHandler& handler_;
  std::shared_ptr<const TlsContext> context_;
  event::Transport transport_;
  CipherPort port_{transport_, {}};
  SslHandle ssl_;
  Buffer plain_;  // written this turn and not encrypted yet: at most a record
  bool handshake_done_ = false;
  bool ended_ = false;
  bool finished_ = false;
  bool failed_ = false;  // nothing may be said any more but the alert
};

}  // namespace kg::tls
