// Reads `sessions` of one endpoint: the chain of authenticators and what they let in.
//
// Thread: control. Problems go to the section's collector.
#pragma once

#include "config/config.h"
#include "config/files.h"
#include "config/section.h"

namespace kg::config {

Sessions read_sessions(const Section& section, const Files& files);

}  // namespace kg::config
