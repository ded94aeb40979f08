// The two forms of an ECDSA signature: r || s, each as long as the curve's order, as JWS has it
// (RFC 7518 section 3.4), and the DER of X9.62 that OpenSSL wants.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kg::auth {

// nullopt for another length than 2 * number_bytes, and for a zero r or s: those never verify, but
// a library has believed them before (CVE-2022-21449), so they end here.
std::optional<std::string> ecdsa_der(std::string_view raw, size_t number_bytes);
std::optional<std::string> ecdsa_raw(std::string_view der, size_t number_bytes);

}  // namespace kg::auth
