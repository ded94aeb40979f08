// What the session credentials API answers: a status and a small JSON body; the connection ends
// behind it.
//
// Values; any thread. A refusal is {"reason", "message"}, which is what Jupyter clients show
// (domain G16).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/secret.h"

namespace kg::issuer {

struct Answer {
  uint16_t status = 200;
  Secret body;                 // may be a token
  uint32_t retry_after_s = 0;  // 0: nothing is said
  std::string_view allow;      // of a 405
  std::string_view cache = "no-store";
};

Answer refusal(uint16_t status, std::string_view message, uint32_t retry_after_s = 0);

// The whole message; of an answer to HEAD the head.
Secret message_of(const Answer& answer, bool head_only);

}  // namespace kg::issuer
