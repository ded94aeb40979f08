// The one table of expected failures. Every row answers: whose fault is it, may the proxy retry,
// what does the client see, and what may its user do about it.
//
// Before a response head was sent the row gives an HTTP status and a JSON body; afterwards, on a
// WebSocket, a close code. A status of 0 means that no answer is possible: the transport closes.
// Labels are metric label values and access-log words: stable for ever.
#pragma once

#include <cstdint>
#include <string_view>

namespace kg {

enum class ErrorCode : uint8_t {
  kNone,
  // The client's side.
  kBadRequest,
  kUriTooLong,
  kHeadTooLarge,
  kBodyTooLarge,
  kRequestTimeout,
  kUnsupportedMedia,
  kExpectationFailed,
  kNotImplemented,
  kVersionNotSupported,
  kMethodNotAllowed,
  kMisdirected,
  kUpgradeRequired,
  kTooManyRequests,
  kQuota,
  kUnauthorized,
  kSessionExpired,
  kSessionRevoked,
  kLifetimeOver,
  kForbidden,
  kForeignOrigin,
  kForeignSource,
  kOperationForbidden,
  kSpecForbidden,
  kTooManyKernels,
  kNoRoute,
  kNoOperation,
  kNoSpec,
  kNoKernel,
  kNotebookMalformed,
  kLaunchMalformed,
  kLaunchDenied,
  kClientTls,
  kClientGone,
  kClientStalled,
  kClientSilent,
  kMessageTooLarge,
  // The upstream's side.
  kUpstreamConnect,
  kUpstreamConnectTimeout,
  kUpstreamTls,
  kUpstreamToken,
  kUpstreamTimeout,
  kUpstreamReset,
  kUpstreamProtocol,
  kUpstreamBusy,
  kNoPod,
  kLaunchLost,
  kListIncomplete,
  kListRefused,
  kUpstreamStalled,
  kUpstreamGone,
  kUpstreamLost,
  kKernelGone,
  kUpstreamSilent,
  kUpstreamMessageTooLarge,
  kKernelLost,
  kKernelUnplaced,
  // Our own.
  kOverloaded,
  kLaunchQueue,
  kSessionUnknown,
  kDraining,
  kInternal,
  kConfiguration,
};

inline constexpr uint8_t kErrorCodeCount = static_cast<uint8_t>(ErrorCode::kConfiguration) + 1;

enum class Side : uint8_t { kClient, kUpstream, kInternal };

// kIfUnsent: only while not one byte of the request went out, or the method is idempotent and the
// connection was a reused one that the peer had closed. Never a POST that was sent (domain J15).
enum class Retry : uint8_t { kNever, kIfUnsent };

struct ErrorRow {
  ErrorCode code;
  std::string_view label;
  Side side;
  Retry retry;
  uint16_t status;      // HTTP status, 0: close without an answer
  uint16_t close_code;  // WebSocket close code (RFC 6455 section 7.4)
  std::string_view cause;
  std::string_view remedy;
};

// Total: every code has a row.
const ErrorRow& error_row(ErrorCode code) noexcept;

// RFC 9110 section 15 reason phrase, "" for a status this proxy never makes itself.
std::string_view reason_phrase(uint16_t status) noexcept;

// An expected failure as a value. Small, never allocates. `detail` points to a string literal that
// makes the row's cause exact ("bare CR in header line"); `sys` is an errno or 0.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  const char* detail = "";
  int sys = 0;

  const ErrorRow& row() const noexcept { return error_row(code); }
};

}  // namespace kg
