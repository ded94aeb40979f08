// The name in a ClientHello's server_name extension (RFC 6066 section 3), before OpenSSL reads it:
// a ticket is opened earlier than that.
//
// Pure; any thread. Strict: one name, and nothing behind it. What is malformed OpenSSL refuses.
#pragma once

#include <string_view>

namespace kg::tls {

// `extension`: its bytes, without type and length. "" where there is no readable name.
std::string_view server_name_of(std::string_view extension) noexcept;

}  // namespace kg::tls
