#include "metrics/audit_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proxy/base/limits.h"
#include "readme_table.h"

namespace kg::metrics::audit_log_test {

using Mode = SubjectMask::Mode;

AuditRecord deletion() {
  AuditRecord record;
  record.time_us = 1'769'904'000'000'042;
  record.event = AuditEvent::kDelete;
  record.result = "ok";
  record.request_id = "r1";
  record.client = "10.0.0.1:4711";
  record.forwarded_for = "203.0.113.9";
  record.endpoint = "ep";
  record.virtual_cluster = "analytics";
  record.operation = "DeleteKernel";
  record.kernel = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
  record.realm = "studio";
  record.subject = "alice\"";
  record.status = 204;
  return record;
}

std::string line(const SubjectMask& mask, const AuditRecord& record) {
  AuditLogBuffer buffer(mask);
  buffer.append(record);
  EXPECT_EQ(buffer.lines(), 1u);
  return buffer.take();
}

TEST(AuditLog, OneLineSaysWhoDidWhat) {
  EXPECT_EQ(line(SubjectMask(Mode::kClear, ""), deletion()),
            "{\"time\":\"2026-02-01T00:00:00.000042Z\",\"event\":\"delete\",\"result\":\"ok\","
            "\"request_id\":\"r1\",\"client\":\"10.0.0.1:4711\",\"forwarded_for\":\"203.0.113.9\","
            "\"endpoint\":\"ep\",\"virtual_cluster\":\"analytics\","
            "\"operation\":\"DeleteKernel\",\"kernel\":\"6bb19c3b-26f6-4b4d-bfc9-be831a9e648f\","
            "\"realm\":\"studio\",\"subject\":\"alice\\\"\",\"status\":204}\n");
}

TEST(AuditLog, ARefusalSaysWhy) {
  AuditRecord record;
  record.result = "refused";
  record.error = "unauthorized";
  record.detail = "no credential";
  record.status = 401;
  const std::string text = line(SubjectMask(Mode::kClear, ""), record);
  EXPECT_NE(text.find("\"event\":\"refuse\",\"result\":\"refused\",\"status\":401,"
                      "\"error\":\"unauthorized\",\"detail\":\"no credential\"}"),
            std::string::npos)
      << text;
}

TEST(AuditLog, ReadmeListsEveryFieldInItsOrder) {
  AuditRecord record = deletion();
  record.session = record.actor = record.error = record.detail = record.pod = "x";
  record.support = true;
  std::vector<std::string> written;
  const auto json =
      nlohmann::ordered_json::parse(line(SubjectMask(Mode::kClear, ""), record), nullptr, false);
  for (const auto& [key, value] : json.items()) written.push_back(key);
  std::vector<std::string> documented;
  for (const auto& row : readme_table("## Audit log")) documented.push_back(row[0]);
  EXPECT_EQ(written, documented);
  for (const std::string& key : written) {
    for (const char* word : {"query", "token", "cookie", "authorization", "credential", "body"}) {
      EXPECT_EQ(key.find(word), std::string::npos) << key;
    }
  }
}

TEST(SubjectMask, HidesNames) {
  AuditRecord record = deletion();
  record.subject = "alice";
  EXPECT_EQ(line(SubjectMask(Mode::kOff, ""), record).find("alice"), std::string::npos);
  const std::string hashed = line(SubjectMask(Mode::kHashed, "key"), record);
  EXPECT_EQ(hashed.find("alice"), std::string::npos);
  EXPECT_NE(hashed.find("\"subject\":\"hmac:"), std::string::npos);
}

TEST(SubjectMask, AHashTellsPeopleApartAndNothingElse) {
  const SubjectMask mask(Mode::kHashed, "key");
  const std::string alice = mask.shown("studio", "alice");
  EXPECT_EQ(alice.size(), 5u + 32u);
  EXPECT_EQ(alice, mask.shown("studio", "alice"));
  EXPECT_NE(alice, mask.shown("studio", "bob"));
  EXPECT_NE(alice, mask.shown("other", "alice"));  // equal subjects of two realms are two people
  EXPECT_NE(mask.shown("a", "bc"), mask.shown("ab", "c"));
  EXPECT_NE(alice, SubjectMask(Mode::kHashed, "another").shown("studio", "alice"));
  EXPECT_EQ(mask.shown("studio", ""), "");  // nobody
}

TEST(AuditLog, AFullBufferWantsToBeTaken) {
  const SubjectMask mask(Mode::kClear, "");
  AuditLogBuffer buffer(mask);
  size_t lines = 1;
  while (!buffer.append(deletion())) ++lines;
  EXPECT_EQ(buffer.lines(), lines);
  EXPECT_GE(buffer.take().size(), limits::kLogFlushBytes);
  EXPECT_TRUE(buffer.empty());
}

}  // namespace kg::metrics::audit_log_test
