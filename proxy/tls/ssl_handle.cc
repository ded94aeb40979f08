#include "proxy/tls/ssl_handle.h"

#include <openssl/ssl.h>

namespace kg::tls {

void SslFree::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

}  // namespace kg::tls
