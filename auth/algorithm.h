// Algorithm: what may sign a session (RFC 7518 section 3.1, RFC 8037 section 3.1). `none` and the
// HMAC family have no value here, so no path can lead to them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kg::auth {

enum class Algorithm : uint8_t { kEs256, kEs384, kRs256, kPs256, kEdDsa };
inline constexpr std::array kAlgorithms{Algorithm::kEs256, Algorithm::kEs384, Algorithm::kRs256,
                                        Algorithm::kPs256, Algorithm::kEdDsa};

std::string_view algorithm_name(Algorithm algorithm) noexcept;  // "ES256"
std::optional<Algorithm> algorithm_named(std::string_view name) noexcept;

}  // namespace kg::auth
