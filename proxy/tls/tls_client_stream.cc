#include "proxy/tls/tls_client_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "proxy/base/assert.h"
#include "proxy/tls/library_error.h"

namespace kg::tls {

void SessionFree::operator()(ssl_session_st* session) const noexcept { SSL_SESSION_free(session); }

TlsClientStream::TlsClientStream(event::Transport& transport, event::TransportHandler& handler,
                                 TlsPeer& peer)
    : handler_(handler), peer_(peer), port_{transport, {}}, ssl_(peer.context->new_ssl(peer.name)) {
  bio_st* bio = make_cipher_bio(port_);
  SSL_set_bio(ssl_.get(), bio, bio);  // owns the BIO now
  SSL_set_ex_data(ssl_.get(), 0, this);
  if (peer_.session != nullptr) SSL_set_session(ssl_.get(), peer_.session.get());
}

TlsClientStream::~TlsClientStream() = default;

bool TlsClientStream::resumed() const noexcept { return SSL_session_reused(ssl_.get()) == 1; }

int TlsClientStream::new_session_cb(ssl_st* ssl, ssl_session_st* session) noexcept {
  static_cast<TlsClientStream*>(SSL_get_ex_data(ssl, 0))->peer_.session.reset(session);
  return 1;  // the reference is ours now
}

void TlsClientStream::on_connected() {
  shake_hands();
  if (port_.transport.unsent() > 0) port_.transport.output_grew();
}

void TlsClientStream::on_data(std::string_view cipher) {
  if (ended_) return;
  port_.incoming = cipher;
  if (handshake_done_ || shake_hands()) read_plain();
  port_.incoming = {};
  // The handshake's flights, key updates, alerts.
  if (port_.transport.unsent() > 0) port_.transport.output_grew();
}

// True when it is done and the connection lives on.
bool TlsClientStream::shake_hands() {
  forget_library_errors();
  const int result = SSL_do_handshake(ssl_.get());
  if (result != 1) {
    if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) fail(reason());
    return false;
  }
  handshake_done_ = true;
  encrypt(early_.view());
  early_.clear();
  handler_.on_connected();
  if (finished_) end_direction();
  return port_.transport.is_open();
}

void TlsClientStream::read_plain() {
  char* plain = plain_scratch();
  for (;;) {
    size_t used = 0;
    int result = 1;
    forget_library_errors();
    while (used + kRecordPlainBytesMax <= kPlainScratchBytes) {
      result = SSL_read(ssl_.get(), plain + used, static_cast<int>(kPlainScratchBytes - used));
      if (result <= 0) break;
      used += static_cast<size_t>(result);
    }
    const int why = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
    // Bytes before a broken record are whole and told first; the reason is taken before, because
    // the handler uses OpenSSL too.
    const char* broken = why == SSL_ERROR_SSL ? reason() : "broken record";
    if (used > 0) {
      handler_.on_data({plain, used});
      if (!port_.transport.is_open()) return;
    }
    if (why == SSL_ERROR_NONE) continue;
    if (why == SSL_ERROR_WANT_READ) return;
    if (why == SSL_ERROR_ZERO_RETURN) {
      ended_ = true;
      return handler_.on_end(true);
    }
    return fail(broken);
  }
}

void TlsClientStream::on_end(bool) {
  if (ended_) return;
  ended_ = true;
  if (handshake_done_) return handler_.on_end(false);
  broken_ = true;
  handler_.on_error({ErrorCode::kUpstreamTls, "closed in the TLS handshake", 0});
}

// Why OpenSSL gave up. Its texts are literals: they outlive every Error.
const char* TlsClientStream::reason() const noexcept {
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict != X509_V_OK) return X509_verify_cert_error_string(verdict);
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  return text != nullptr ? text : "unknown reason";
}

// The alert that says why goes out when the handler closes.
void TlsClientStream::fail(const char* reason) {
  ended_ = broken_ = true;
  forget_library_errors();
  handler_.on_error({ErrorCode::kUpstreamTls, reason, 0});
}

void TlsClientStream::encrypt(std::string_view bytes) {
  if (bytes.empty()) return;
  // Into a buffer that always takes it, so all of it goes at once; it fails only after a fatal
  // error, which on_error tells.
  forget_library_errors();
  const int result = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  if (result <= 0) forget_library_errors();
}

void TlsClientStream::write(std::string_view bytes) {
  if (!port_.transport.is_open() || finished_ || broken_ || bytes.empty()) return;
  if (!handshake_done_) {
    early_.append(bytes);
    return;
  }
  encrypt(bytes);
  port_.transport.output_grew();
}

void TlsClientStream::say_close_notify() noexcept {
  if (!handshake_done_ || broken_) return;
  forget_library_errors();
  SSL_shutdown(ssl_.get());
  forget_library_errors();
}

void TlsClientStream::finish() {
  if (finished_ || !port_.transport.is_open()) return;
  finished_ = true;
  if (handshake_done_) end_direction();  // else after what waits for the handshake
}

void TlsClientStream::end_direction() {
  say_close_notify();
  port_.transport.output_grew();
  port_.transport.finish();
}

std::optional<std::string> TlsClientStream::take_back() {
  std::optional<std::string> records = port_.transport.take_back();
  if (!records || !records->empty() || !early_.empty()) return std::nullopt;
  return records;
}

void TlsClientStream::close() noexcept {
  if (port_.transport.is_open() && !finished_) say_close_notify();
  port_.transport.close();
}

}  // namespace kg::tls
