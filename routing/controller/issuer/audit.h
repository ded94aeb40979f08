// One line of JSON for each decision of the session credentials API: who asked for what, and what
// came of it. Never a token.
//
// A value and a function; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/session_signer.h"
#include "routing/controller/issuer/request.h"

namespace kg::issuer {

struct Decision {
  uint64_t wall_us = 0;
  std::string_view client;   // address and port
  std::string_view outcome;  // a word of outcome_name()
  uint16_t status = 0;
  Target target;
  std::string_view caller;  // "" as long as nobody knows
  std::string_view subject;
  const auth::SessionClaims* session = nullptr;  // of what was issued
  bool replayed = false;                         // under a client token, once more
  std::string_view why;                          // of a refusal
};

std::string audit_line(const Decision& decision);  // with its line end

std::string iso_time(int64_t seconds);  // "2026-11-27T05:30:00Z"

}  // namespace kg::issuer
