// What both sides of TLS offer: the same ciphers, and HTTP/1.1 by ALPN.
#pragma once

namespace kg::tls {

// Of TLS 1.2: forward secrecy and AEAD only (RFC 9325 section 4.2).
inline constexpr char kCiphers12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
inline constexpr unsigned char kHttp11[] = "\x08http/1.1";  // as ALPN writes it (RFC 7301)

}  // namespace kg::tls
