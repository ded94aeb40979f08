// What the session credentials API counted since the start, for metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kg::issuer {

enum class Outcome : uint8_t {
  kIssued,
  kMalformed,        // 400
  kUnauthenticated,  // 401
  kForbidden,        // 403
  kNoEndpoint,       // 404
  kUnfit,            // 409: the endpoint takes no such session
  kTooMany,          // 429
  kUnavailable,      // 503
};
inline constexpr size_t kOutcomes = 8;

// Of a metric's label and of the audit log: stable for ever.
constexpr std::string_view outcome_name(Outcome outcome) noexcept {
  constexpr std::array<std::string_view, kOutcomes> kNames{
      "issued",      "malformed", "unauthenticated", "forbidden",
      "no_endpoint", "unfit",     "too_many",        "unavailable"};
  return kNames[static_cast<size_t>(outcome)];
}

constexpr Outcome outcome_of(uint16_t status) noexcept {
  switch (status) {
    case 200:
      return Outcome::kIssued;
    case 401:
      return Outcome::kUnauthenticated;
    case 403:
      return Outcome::kForbidden;
    case 404:
      return Outcome::kNoEndpoint;
    case 409:
      return Outcome::kUnfit;
    case 429:
      return Outcome::kTooMany;
    case 503:
      return Outcome::kUnavailable;
    default:
      return Outcome::kMalformed;
  }
}

struct Counts {
  std::array<uint64_t, kOutcomes> calls{};  // by Outcome
  uint64_t reviews = 0;                     // that the API server was asked for
  uint64_t review_errors = 0;               // that it did not answer
  uint64_t connections = 0;                 // accepted
  uint64_t connections_refused = 0;         // above their bounds
};

// For Prometheus, text/plain; version=0.0.4. The names stand in README.md.
std::string metrics_text(const Counts& counts, size_t open_connections);

}  // namespace kg::issuer
