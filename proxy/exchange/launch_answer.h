// LaunchAnswer: what came of a kernel start, for everybody who asked for the same one.
//
// Immutable once shared. Thread: any. Limits: kLaunchAnswerBytesMax of body.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "proxy/base/error.h"

namespace kg::exchange {

struct LaunchAnswer {
  Error error{ErrorCode::kNone, "", 0};  // one of our own; else the gateway answered:
  uint16_t status = 0;
  std::string kernel_id;
  std::string body;  // JSON; an error's is reduced already
};
using LaunchAnswerRef = std::shared_ptr<const LaunchAnswer>;

}  // namespace kg::exchange
