// Reads `feed`: the controllers that announce endpoints.
//
// Thread: control. Problems go to the section's collector.
#pragma once

#include <optional>

#include "config/config.h"
#include "config/files.h"
#include "config/section.h"

namespace kg::config {

std::optional<Feed> read_feed(const Section& root, const Files& files);

}  // namespace kg::config
