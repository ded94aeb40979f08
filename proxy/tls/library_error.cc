#include "proxy/tls/library_error.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace kg::tls {

std::string library_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

void forget_library_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

bool last_error_is_end_of_pem() noexcept {
  const unsigned long code = ERR_peek_last_error();
  if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE) return false;
  ERR_clear_error();
  return true;
}

std::string library_version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

}  // namespace kg::tls
