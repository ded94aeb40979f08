// SessionPlan: when the user of an open WebSocket is told what, and when it ends.
//
//   begin ───────────────▶ first notice ───────▶ last notice ──▶ end
//          2/3 of the time                       60 s before, or half of what is left
//
// Begin is when the session was issued, else when the proxy saw it first. The end is its expiry and
// the grace after it, or the WebSocket's own max_lifetime, whichever is sooner. Pure; times are
// microseconds since the epoch.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "auth/principal.h"
#include "proxy/base/error.h"
#include "proxy/base/session_rules.h"

namespace kg::exchange {

inline constexpr uint64_t kNeverUs = std::numeric_limits<uint64_t>::max();

// A session without an end (expires_at 0) ends never.
uint64_t session_end_us(const auth::Principal& principal) noexcept;

struct SessionPlan {
  uint64_t first_notice_us = kNeverUs;
  uint64_t last_notice_us = kNeverUs;
  uint64_t expiry_us = kNeverUs;  // of the session
  uint64_t end_us = kNeverUs;     // of the WebSocket; with keeps, where it is kept on
  bool by_lifetime = false;       // the end is max_lifetime's
  bool keeps = false;             // nothing ends, the session's expiry is only counted

  // `kept`: the expiry has been counted and counts no more.
  static SessionPlan make(const auth::Principal& principal, const SessionRules& rules,
                          uint64_t opened_us, uint64_t seen_us, bool kept);
  ErrorCode why() const noexcept {
    return by_lifetime ? ErrorCode::kLifetimeOver : ErrorCode::kSessionExpired;
  }
  // What the notebook shows: what ends when, how to go on, and the request id.
  std::string notice(uint64_t now_us, std::string_view request_id) const;
};

}  // namespace kg::exchange
