#include "metrics/audit_log.h"

#include <array>

#include "metrics/json_line.h"

namespace kg::metrics {
namespace {

constexpr size_t kHashBytes = 16;

constexpr std::array<std::string_view, kAuditEventCount> kEvents{
    "refuse", "create",   "interrupt", "restart", "delete",
    "revoke", "unrevoke", "support",   "cordon",  "uncordon"};

}  // namespace

std::string SubjectMask::shown(std::string_view realm, std::string_view subject) const {
  if (mode_ == Mode::kOff || subject.empty()) return "";
  if (mode_ == Mode::kClear) return std::string(subject);
  std::string person(realm);
  person.push_back('\0');  // neither of them holds one
  person.append(subject);
  const crypto::Sha256 hash = hash_.of(person);
  return "hmac:" + crypto::hex({reinterpret_cast<const char*>(hash.data()), kHashBytes});
}

bool AuditLogBuffer::append(const AuditRecord& record) {
  Line line(begin());
  append_time(line, record.time_us);
  line.text(Key("event"), kEvents[static_cast<size_t>(record.event)]);
  line.text(Key("result"), record.result);
  line.text(Key("request_id"), record.request_id);
  line.text(Key("client"), record.client);
  line.text(Key("forwarded_for"), record.forwarded_for);
  line.text(Key("endpoint"), record.endpoint);
  line.text(Key("virtual_cluster"), record.virtual_cluster);
  line.text(Key("pod"), record.pod);
  line.text(Key("operation"), record.operation);
  line.text(Key("kernel"), record.kernel);
  line.text(Key("realm"), record.realm);
  line.text(Key("subject"), mask_.shown(record.realm, record.subject));
  line.text(Key("session"), record.session);
  line.text(Key("actor"), record.actor);
  line.optional(Key("status"), record.status);
  line.text(Key("error"), record.error);
  line.text(Key("detail"), record.detail);
  line.flag(Key("support"), record.support);
  return end(line);
}

}  // namespace kg::metrics
