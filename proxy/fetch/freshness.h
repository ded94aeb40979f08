// How long an answer may be believed: Cache-Control and Age (RFC 9111 sections 5.2.2 and 5.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kg::fetch {

// Seconds that are left of max-age. 0 for no-store and no-cache; the shortest when there are
// several; nullopt when nothing readable is said. `cache_control` and `age`: all values of these
// fields. The result is at most 2^31 (section 1.2.2).
std::optional<uint32_t> seconds_fresh(const std::vector<std::string>& cache_control,
                                      const std::vector<std::string>& age);

}  // namespace kg::fetch
