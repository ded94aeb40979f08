// What the session credentials API may hold, and how long it waits: each bound with unit and
// reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kg::issuer {

// ---- sizes ----
inline constexpr size_t kHeadBytesMax = size_t{32} * 1024;  // a caller's token has up to 16 KiB
inline constexpr size_t kLineBytesMax = 1'024;              // a request line needs under 250
inline constexpr size_t kFieldsMax = 64;
inline constexpr size_t kBodyBytesMax = size_t{64} * 1024;
inline constexpr size_t kTokenBytesMax = size_t{16} * 1024;    // what a caller shows
inline constexpr size_t kTextBytesMax = 256;                   // as a claim's (auth/claims.h)
inline constexpr size_t kRoleBytesMax = 2'048;                 // as the role claim's
inline constexpr size_t kGroupsMax = 8;                        // each may cost a review
inline constexpr size_t kCallerGroupsMax = 1'000;              // a TokenReview may name
inline constexpr size_t kReviewBytesMax = size_t{256} * 1024;  // its answer

// ---- counts ----
inline constexpr uint32_t kConnectionsMax = 512;  // about 50 KiB each in a handshake
inline constexpr uint32_t kConnectionsPerAddressMax = 64;
// Of one network, each a handshake of a millisecond in the controller's one thread: ten callers at
// their full rate.
inline constexpr uint32_t kConnectionsPerMinute = 1'200;
inline constexpr uint32_t kApplicationsMax = 64;  // being reviewed; the API server's flow control
                                                  // gives a client fewer at a time
inline constexpr size_t kReplaysMax = 8'192;      // client tokens remembered, about 1 KiB each
inline constexpr size_t kRatesMax = 16'384;       // callers, or addresses, with a rate in use
inline constexpr uint32_t kCallsPerMinute = 120;  // of one caller: a hub whose users sign in
inline constexpr uint32_t kCallsPerMinuteAll = 3'000;  // each costs the API server 2 to 11 reviews
inline constexpr uint32_t kFailuresPerMinute = 300;    // of one address: a tenth of all

// ---- times ----
inline constexpr uint32_t kSecondsDefault = 900;   // of a session (domain E14)
inline constexpr uint32_t kSecondsMax = 43'200;    // the same
inline constexpr uint32_t kRequestMs = 10'000;     // from the connection to the request's last byte
inline constexpr uint32_t kReviewMs = 10'000;      // one review; clients wait 30 s and more
inline constexpr uint32_t kAnswerMs = 120'000;     // all reviews of one call, and a bit
inline constexpr uint32_t kSendMs = 10'000;        // until the client took the answer
inline constexpr uint32_t kLingerMs = 2'000;       // drop what comes: no RST eats the answer
inline constexpr uint32_t kAcceptBackoffMs = 100;  // out of descriptors
inline constexpr uint32_t kFilesLookMs = 5'000;    // certificate and keys may be others now
inline constexpr uint32_t kRetrySeconds = 5;       // Retry-After while something is down

}  // namespace kg::issuer
