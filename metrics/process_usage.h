// What the kernel says about this process, read from /proc/self at scrape. 0 where it cannot be
// read.
#pragma once

#include <cstdint>

namespace kg::metrics {

uint64_t resident_bytes() noexcept;
uint64_t open_fds() noexcept;

}  // namespace kg::metrics
