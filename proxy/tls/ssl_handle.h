// SslHandle: owner of one connection's TLS state, on either side of it.
#pragma once

#include <memory>

struct ssl_st;

namespace kg::tls {

struct SslFree {
  void operator()(ssl_st* ssl) const noexcept;
};
using SslHandle = std::unique_ptr<ssl_st, SslFree>;

}  // namespace kg::tls
