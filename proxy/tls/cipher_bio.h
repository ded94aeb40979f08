// The BIO between OpenSSL and a transport's buffers, for both sides of TLS: no read or write call
// is OpenSSL's. It reads from the burst that the transport read and writes into the transport's
// output.
//
// Thread: the transport's. A worker decrypts into one scratch, used during a single on_data call.
#pragma once

#include <cstddef>
#include <string_view>

#include "proxy/base/limits.h"
#include "proxy/event/transport.h"

struct bio_st;

namespace kg::tls {

inline constexpr size_t kRecordPlainBytesMax = size_t{16} * 1024;  // RFC 8446 section 5.1
inline constexpr size_t kPlainScratchBytes = limits::kReadBurstBytes + kRecordPlainBytesMax;

struct CipherPort {
  event::Transport& transport;
  std::string_view incoming;  // what may still be read of the burst in hand
};

// Owned by the SSL that it is given to, which must not outlive `port`.
bio_st* make_cipher_bio(CipherPort& port);
// kPlainScratchBytes of the calling thread.
char* plain_scratch();

}  // namespace kg::tls
