#include "proxy/tls/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"

namespace kg::tls {
namespace {

constexpr size_t kRecordPlainBytesMax = size_t{16} * 1024;  // RFC 8446 section 5.1
constexpr size_t kPlainScratchBytes = limits::kReadBurstBytes + kRecordPlainBytesMax;

// One per worker thread: decrypted bytes live here during a single on_data call.
char* plain_scratch() {
  thread_local const std::unique_ptr<char[]> scratch(new char[kPlainScratchBytes]);
  return scratch.get();
}

}  // namespace

// The BIO between OpenSSL and the transport's buffers.
struct BioMethods {
  static TlsStream& owner(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int bio_read_cb(BIO* bio, char* out, int size) noexcept {
    std::string_view& cipher = owner(bio).cipher_;
    BIO_clear_retry_flags(bio);
    if (cipher.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const size_t count = std::min(cipher.size(), static_cast<size_t>(size));
    std::memcpy(out, cipher.data(), count);
    cipher.remove_prefix(count);
    return static_cast<int>(count);
  }

  static int bio_write_cb(BIO* bio, const char* bytes, int size) noexcept {
    owner(bio).transport_.output().append({bytes, static_cast<size_t>(size)});
    return size;
  }

  static long bio_control_cb(BIO*, int command, long, void*) noexcept {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static const BIO_METHOD* get() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "kernelgate");
      KG_ASSERT(made != nullptr);
      BIO_meth_set_read(made, &bio_read_cb);
      BIO_meth_set_write(made, &bio_write_cb);
      BIO_meth_set_ctrl(made, &bio_control_cb);
      return made;
    }();
    return method;
  }
};

void TlsStream::SslFree::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

TlsStream::TlsStream(event::EventLoop& loop, TlsHandler& handler,
                     std::shared_ptr<const TlsContext> context)
    : handler_(handler),
      context_(std::move(context)),
      transport_(loop, *this, ErrorCode::kClientGone),
      ssl_(SSL_new(context_->default_context())) {
  KG_ASSERT(ssl_ != nullptr);
  BIO* bio = BIO_new(BioMethods::get());
  KG_ASSERT(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // owns the BIO now
  SSL_set_accept_state(ssl_.get());
}

TlsStream::~TlsStream() = default;

bool TlsStream::resumed() const noexcept { return SSL_session_reused(ssl_.get()) == 1; }

void TlsStream::on_data(std::string_view cipher) {
  if (ended_) return;
  cipher_ = cipher;
  ERR_clear_error();
  if (handshake_done_ || shake_hands()) read_plain();
  cipher_ = {};
  if (transport_.unsent() > 0) transport_.output_grew();  // handshake flights, tickets, key updates
}

bool TlsStream::shake_hands() {
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
    ERR_clear_error();  // the handler verifies signatures, and SSL_get_error looks at the queue
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
  if (ended_) return;
  ended_ = true;
  if (!handshake_done_)
    return handler_.on_error({ErrorCode::kClientTls, "closed in the handshake", 0});
  handler_.on_end(false);
}

void TlsStream::fail(const char* detail) {
  ended_ = true;
  ERR_clear_error();
  handler_.on_error({ErrorCode::kClientTls, detail, 0});
}

void TlsStream::write(std::string_view bytes) {
  if (!transport_.is_open() || finished_ || bytes.empty()) return;
  // Into a buffer that always takes it, so all of it goes at once; it fails only after a fatal
  // error, which on_error has told already.
  ERR_clear_error();
  if (SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) ERR_clear_error();
  transport_.output_grew();
}

void TlsStream::finish() {
  if (finished_ || !transport_.is_open()) return;
  finished_ = true;
  if (handshake_done_) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // appends close_notify
    ERR_clear_error();
    transport_.output_grew();
  }
  transport_.finish();
}

}  // namespace kg::tls
