// Audit log: who did something to a kernel or a session, and who was turned away. One JSON line per
// event, in a stream of its own: it is kept longer than an access log, and read by other people.
//
// AuditRecord: views that live as long as the call. metrics/README.md documents each field; there
// is
//   none for a credential, a query or a body.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "metrics/log_buffer.h"
#include "proxy/base/crypto.h"

namespace kg::metrics {

enum class AuditEvent : uint8_t {
  kRefuse,  // no session, a bad one, or one that may not do this
  kCreate,
  kInterrupt,
  kRestart,
  kDelete,
  kRevoke,    // a session was ended from outside, or an open WebSocket with it
  kUnrevoke,  // that was taken back
  kSupport,   // somebody of support looked at kernels of others
  kCordon,    // a pod was closed for new kernels
  kUncordon,  // it was opened again
};
inline constexpr uint8_t kAuditEventCount = static_cast<uint8_t>(AuditEvent::kUncordon) + 1;

struct AuditRecord {
  uint64_t time_us = 0;  // since the epoch
  AuditEvent event = AuditEvent::kRefuse;
  std::string_view result;  // "ok", "refused", "failed"
  std::string_view request_id;
  std::string_view client;         // address:port of the peer
  std::string_view forwarded_for;  // the ALB's client when the peer is trusted
  std::string_view endpoint;
  std::string_view virtual_cluster;
  std::string_view pod;  // of a cordon
  std::string_view operation;
  std::string_view kernel;
  std::string_view realm;
  std::string_view subject;  // whose session it is; shown as SubjectMask says
  std::string_view session;  // id of the token or session that was revoked
  std::string_view actor;    // of a revocation or a cordon: where it came from
  std::string_view error;    // error label, "" if none
  std::string_view detail;   // Error::detail
  uint16_t status = 0;       // sent to the client; 0: none
  bool support = false;      // by the right of a support role
};

// How subjects are shown. Immutable; any thread.
class SubjectMask {
 public:
  enum class Mode : uint8_t { kClear, kHashed, kOff };
  // `key`: for kHashed, at most 64 bytes. Who does not have it cannot try names.
  SubjectMask(Mode mode, std::string_view key) noexcept : mode_(mode), hash_(key) {}
  // kHashed: "hmac:" and 128 bits of HMAC-SHA-256 over realm and subject, in hexadecimal.
  std::string shown(std::string_view realm, std::string_view subject) const;

 private:
  Mode mode_;
  crypto::Hmac hash_;
};

class AuditLogBuffer : public LogBuffer {
 public:
  using Record = AuditRecord;
  // `mask` outlives this.
  explicit AuditLogBuffer(const SubjectMask& mask) noexcept : mask_(mask) {}
  // Returns true when the buffer wants to be taken.
  bool append(const AuditRecord& record);

 private:
  const SubjectMask& mask_;
};

}  // namespace kg::metrics
