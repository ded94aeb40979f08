#include "routing/controller/issuer/rates.h"

#include <algorithm>

#include "routing/controller/issuer/limits.h"

namespace kg::issuer {
namespace {

constexpr uint64_t kMinuteUs = 60'000'000;

}  // namespace

std::string network_of(const event::SocketAddress& peer) {
  std::string host = peer.host_text();
  if (host.find(':') == std::string::npos) return host;
  const std::array<unsigned char, 16> bytes = peer.bytes16();
  return crypto::hex({reinterpret_cast<const char*>(bytes.data()), bytes.size() / 2});
}

Rates::Rates(uint32_t per_minute) noexcept
    : step_us_(kMinuteUs / per_minute), burst_us_(step_us_ * per_minute) {}

uint64_t Rates::wait_us(std::string_view key, uint64_t now_us) {
  const auto found = used_until_us_.find(hash_(key, ""));
  if (found == used_until_us_.end()) {
    if (used_until_us_.size() >= kRatesMax) forget_idle(now_us);
    return used_until_us_.size() >= kRatesMax ? step_us_ : 0;
  }
  const uint64_t with_this = std::max(found->second, now_us) + step_us_;
  return with_this > now_us + burst_us_ ? with_this - now_us - burst_us_ : 0;
}

void Rates::count(std::string_view key, uint64_t now_us) {
  uint64_t& used_until = used_until_us_[hash_(key, "")];
  used_until = std::max(used_until, now_us) + step_us_;
}

void Rates::forget_idle(uint64_t now_us) {
  std::erase_if(used_until_us_, [now_us](const auto& one) { return one.second <= now_us; });
}

}  // namespace kg::issuer
