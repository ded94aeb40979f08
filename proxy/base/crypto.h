// Hashes and randomness over OpenSSL 3. Algorithm fetches are slow there, so each is fetched once.
// Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace kg::crypto {

using Sha256 = std::array<unsigned char, 32>;
using Sha1 = std::array<unsigned char, 20>;

Sha256 sha256(std::string_view bytes) noexcept;
Sha256 sha256(std::string_view first, std::string_view then) noexcept;  // of both, joined
Sha1 sha1(std::string_view bytes) noexcept;  // only Sec-WebSocket-Accept (RFC 6455 section 4.2.2)

// From the system's generator; ends the process if it fails, since nothing safe can follow.
void random_bytes(void* out, size_t size) noexcept;
std::string random_hex(size_t bytes);
// RFC 9562 version 4, lower case.
std::string random_uuid();

// Time depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace kg::crypto
