// Rates: how often each of many may come, by the generic cell rate algorithm: a number a minute,
// evenly, or as many at once after a pause.
//
// Owner: the Desk. Thread: one. Memory: kRatesMax keys whose rate is in use; a newcomer beyond that
// has to wait. Keys are kept as a keyed hash.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "proxy/base/crypto.h"
#include "proxy/event/address.h"

namespace kg::issuer {

// By what strangers are counted: an IPv4 address, or the /64 of an IPv6 one, which is what one
// client is given (RFC 6177).
std::string network_of(const event::SocketAddress& peer);

class Rates {
 public:
  explicit Rates(uint32_t per_minute) noexcept;

  // Microseconds until the key may come, 0: now. Counts nothing.
  uint64_t wait_us(std::string_view key, uint64_t now_us);
  void count(std::string_view key, uint64_t now_us);

 private:
  using Hash = crypto::KeyedHash::Hash;
  void forget_idle(uint64_t now_us);

  const uint64_t step_us_;   // of one
  const uint64_t burst_us_;  // of all at once
  crypto::KeyedHash hash_;
  std::map<Hash, uint64_t> used_until_us_;
};

}  // namespace kg::issuer
