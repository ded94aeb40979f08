#include "routing/renewal_notice.h"

#include <cstring>

#include "proxy/base/assert.h"
#include "routing/feed/limits.h"

namespace kg::routing {
namespace {

constexpr std::string_view kRenew = "renew ";
static_assert(kRenew.size() + kRenewalsPerFact * kRenewalBytes <= feed::kFactBytesMax);

void put(const auth::Mark& mark, std::string& out) {
  out.append(reinterpret_cast<const char*>(mark.data()), mark.size());
}

void put(int64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out += static_cast<char>((static_cast<uint64_t>(value) >> shift) & 0xff);
  }
}

void take(std::string_view& text, auth::Mark& out) noexcept {
  std::memcpy(out.data(), text.data(), out.size());
  text.remove_prefix(out.size());
}

// False: no time since 1970.
bool take(std::string_view& text, int64_t& out) noexcept {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof value; ++i) {
    value = value << 8 | static_cast<unsigned char>(text[i]);
  }
  text.remove_prefix(sizeof value);
  out = static_cast<int64_t>(value);
  return out >= 0;
}

}  // namespace

std::string renewals_text(std::span<const Renewal> renewals) {
  KG_ASSERT(!renewals.empty() && renewals.size() <= kRenewalsPerFact);
  std::string out(kRenew);
  for (const Renewal& one : renewals) {
    put(one.subject, out);
    put(one.token, out);
    put(one.session, out);
    put(one.issued_at, out);
    put(one.expires_at, out);
  }
  return out;
}

std::optional<std::vector<Renewal>> read_renewals(std::string_view text) {
  if (!text.starts_with(kRenew)) return std::nullopt;
  text.remove_prefix(kRenew.size());
  const size_t count = text.size() / kRenewalBytes;
  if (count == 0 || count > kRenewalsPerFact || text.size() % kRenewalBytes != 0) {
    return std::nullopt;
  }
  std::vector<Renewal> out(count);
  for (Renewal& one : out) {
    take(text, one.subject);
    take(text, one.token);
    take(text, one.session);
    const bool times = take(text, one.issued_at) && take(text, one.expires_at);
    if (!times || one.expires_at == 0 || one.subject == auth::Mark{}) return std::nullopt;
  }
  return out;
}

}  // namespace kg::routing
