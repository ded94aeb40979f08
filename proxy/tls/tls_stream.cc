#include "proxy/tls/tls_stream.h"

#include <openssl/ssl.h>

#include "proxy/base/assert.h"
#include "proxy/tls/library_error.h"
#include "proxy/tls/peer_certificate.h"

namespace kg::tls {
namespace {

// From here on a copy costs more than the record that it spares.
constexpr size_t kAloneBytes = size_t{4} * 1024;

}  // namespace

TlsStream::TlsStream(event::EventLoop& loop, TlsHandler& handler,
                     std::shared_ptr<const TlsContext> context)
    : handler_(handler),
      context_(std::move(context)),
      transport_(loop, *this, ErrorCode::kClientGone),
      ssl_(SSL_new(context_->handle())) {
  KG_ASSERT(ssl_ != nullptr);
  BIO* bio = make_cipher_bio(port_);
  SSL_set_bio(ssl_.get(), bio, bio);  // owns the BIO now
  SSL_set_accept_state(ssl_.get());
}

TlsStream::~TlsStream() = default;

bool TlsStream::resumed() const noexcept { return SSL_session_reused(ssl_.get()) == 1; }

std::unique_ptr<const PeerCertificate> TlsStream::peer_certificate() const {
  const X509* peer = SSL_get0_peer_certificate(ssl_.get());
  if (peer == nullptr) return nullptr;
  return std::make_unique<const PeerCertificate>(read_peer_certificate(peer));
}

void TlsStream::on_data(std::string_view cipher) {
  if (ended_) return;
  seal();  // before an alert that these bytes may cause
  port_.incoming = cipher;
  if (handshake_done_ || shake_hands()) read_plain();
  port_.incoming = {};
  if (transport_.unsent() > 0) transport_.output_grew();  // handshake flights, tickets, key updates
}

bool TlsStream::shake_hands() {
  forget_library_errors();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    handshake_done_ = true;
    handler_.on_handshake_done();
    return transport_.is_open();
  }
  if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) fail("handshake");
  return false;
}

void TlsStream::read_plain() {
  char* plain = plain_scratch();
  for (;;) {
    size_t used = 0;
    int result = 1;
    forget_library_errors();  // the handler verifies signatures; SSL_get_error looks at the queue
    while (used + kRecordPlainBytesMax <= kPlainScratchBytes) {
      result = SSL_read(ssl_.get(), plain + used, static_cast<int>(kPlainScratchBytes - used));
      if (result <= 0) break;
      used += static_cast<size_t>(result);
    }
    const int why = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
    if (used > 0) {
      handler_.on_data({plain, used});
      if (!transport_.is_open()) return;
    }
    if (why == SSL_ERROR_NONE) continue;
    if (why == SSL_ERROR_WANT_READ) return;
    if (why == SSL_ERROR_ZERO_RETURN) {
      ended_ = true;
      return handler_.on_end(true);
    }
    return fail("record");
  }
}

void TlsStream::on_end(bool) {
  if (failed_) return handler_.on_end(false);
  if (ended_) return;
  ended_ = true;
  if (!handshake_done_)
    return handler_.on_error({ErrorCode::kClientGone, "closed in the handshake", 0});
  handler_.on_end(false);
}

void TlsStream::fail(const char* detail) {
  ended_ = failed_ = true;
  forget_library_errors();
  handler_.on_error({ErrorCode::kClientTls, detail, 0});
}

void TlsStream::write(std::string_view bytes) {
  if (!transport_.takes_output() || finished_ || failed_ || bytes.empty()) return;
  const bool joins = plain_.empty() ? bytes.size() < kAloneBytes
                                    : plain_.size() + bytes.size() <= kRecordPlainBytesMax;
  if (joins) {
    plain_.append(bytes);
  } else {
    seal();
    encrypt(bytes);
  }
  transport_.output_grew();
}

void TlsStream::seal() noexcept {
  if (plain_.empty()) return;
  encrypt(plain_.view());
  plain_.clear();
}

// Into a buffer that always takes it, so all of it goes at once; it fails only after a fatal error,
// which on_error has told already.
void TlsStream::encrypt(std::string_view bytes) noexcept {
  forget_library_errors();
  const int result = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  if (result <= 0) forget_library_errors();
}

void TlsStream::on_error(const Error& error) {
  plain_.clear();
  handler_.on_error(error);
}

void TlsStream::close() noexcept {
  seal();
  transport_.close();
}

void TlsStream::finish() {
  if (finished_ || !transport_.is_open()) return;
  finished_ = true;
  seal();
  if (handshake_done_ && !failed_) {
    forget_library_errors();
    SSL_shutdown(ssl_.get());  // appends close_notify
    forget_library_errors();
    transport_.output_grew();
  }
  transport_.finish();
}

}  // namespace kg::tls
