#include "proxy/exchange/session_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "proxy/base/limits.h"

namespace kg::exchange {
namespace {

constexpr uint64_t kMicros = 1'000'000;

std::string utc(uint64_t wall_us) {
  const auto seconds = static_cast<time_t>(wall_us / kMicros);
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  return {text.data(), strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

constexpr std::string_view kHowToRenew =
    "To renew it, write a fresh session token to the file that the Jupyter server's token renewer "
    "reads, or restart the Jupyter server with a fresh JUPYTER_GATEWAY_AUTH_TOKEN.";

}  // namespace

uint64_t session_end_us(const auth::Principal& principal) noexcept {
  if (principal.expires_at <= 0) return kNeverUs;
  return static_cast<uint64_t>(principal.expires_at) * kMicros;
}

SessionPlan SessionPlan::make(const auth::Principal& principal, const SessionRules& rules,
                              uint64_t opened_us, uint64_t seen_us, bool kept) {
  SessionPlan plan;
  if (!kept) plan.expiry_us = session_end_us(principal);
  if (plan.expiry_us != kNeverUs) {
    plan.keeps = !rules.close_on_expiry;
    plan.end_us = plan.expiry_us + (plan.keeps ? 0 : rules.expiry_grace_ms * 1'000);
  }
  const uint64_t lifetime_end_us = opened_us + rules.max_lifetime_ms * 1'000;
  if (rules.max_lifetime_ms != 0 && lifetime_end_us < plan.end_us) {
    plan.end_us = lifetime_end_us;
    plan.by_lifetime = true;
    plan.keeps = false;
  }
  if (plan.end_us == kNeverUs) return plan;
  uint64_t begin_us = opened_us;
  if (!plan.by_lifetime) {
    begin_us =
        principal.issued_at > 0 ? static_cast<uint64_t>(principal.issued_at) * kMicros : seen_us;
  }
  const uint64_t until_us = plan.by_lifetime ? plan.end_us : plan.expiry_us;
  begin_us = std::min(begin_us, until_us);
  plan.first_notice_us = begin_us + (until_us - begin_us) / 3 * 2;
  if (plan.keeps) return plan;
  const uint64_t left_us = plan.end_us - plan.first_notice_us;
  plan.last_notice_us =
      plan.end_us - std::min(uint64_t{limits::kNoticeBeforeEndMs} * 1'000, left_us / 2);
  return plan;
}

std::string SessionPlan::notice(uint64_t now_us, std::string_view request_id) const {
  std::string text = "[Kernelgate] ";
  if (by_lifetime) {
    text += fmt::format(
        "This connection to the kernel closes at {}: it has then been open for as long as it may. "
        "The kernel goes on, and the Jupyter server connects anew.",
        utc(end_us));
  } else {
    text += fmt::format("Your session {} at {}. ", now_us < expiry_us ? "ends" : "ended",
                        utc(expiry_us));
    text += keeps ? "This connection to the kernel stays open, but new requests will be refused. "
                  : fmt::format("This connection to the kernel closes at {}, the kernel goes on. ",
                                utc(end_us));
    text += kHowToRenew;
  }
  return text += fmt::format(" (request {})\n", request_id);
}

}  // namespace kg::exchange
