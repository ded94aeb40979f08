// Reads `timeouts` and `limits`.
//
// Thread: control. Problems go to the section's collector.
#pragma once

#include "config/config.h"
#include "config/section.h"

namespace kg::config {

// `alb_idle_timeout`: what keep_alive derives from.
Settings read_settings(const Section& root, Millis alb_idle_timeout);

}  // namespace kg::config
