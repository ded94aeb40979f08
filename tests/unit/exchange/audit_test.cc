#include "proxy/exchange/audit.h"

#include <gtest/gtest.h>

#include <memory>

namespace kg::exchange::audit_test {

using kernel::Operation;
using metrics::AuditEvent;

struct Case {
  Case(Operation operation, uint16_t status, ErrorCode code = ErrorCode::kNone) {
    record.operation = record.effect = operation;
    record.status = status;
    record.error = {code, code == ErrorCode::kNone ? "" : "why", 0};
    record.request_id = "r1";
    record.kernel_id = "k1";
    auto who = std::make_shared<auth::Principal>();
    who->realm = "studio";
    who->subject = "alice";
    record.principal = who;
    endpoint.id = "ep";
    endpoint.virtual_cluster = "vc";
  }
  std::optional<metrics::AuditRecord> audited() const {
    return audit_record(record, &endpoint, {"10.0.0.1:1", "203.0.113.9", "", false});
  }
  ExchangeRecord record;
  routing::Endpoint endpoint;
};

TEST(Audit, ChangesOfKernelsAreWritten) {
  for (const auto& [operation, event] : {std::pair{Operation::kCreateKernel, AuditEvent::kCreate},
                                         {Operation::kInterruptKernel, AuditEvent::kInterrupt},
                                         {Operation::kRestartKernel, AuditEvent::kRestart},
                                         {Operation::kDeleteKernel, AuditEvent::kDelete}}) {
    const Case done(operation, 204);
    const auto line = done.audited();
    ASSERT_TRUE(line);
    EXPECT_EQ(line->event, event);
    EXPECT_EQ(line->result, "ok");
    EXPECT_EQ(line->realm, "studio");
    EXPECT_EQ(line->subject, "alice");
    EXPECT_EQ(line->kernel, "k1");
    EXPECT_EQ(line->endpoint, "ep");
    EXPECT_EQ(line->client, "10.0.0.1:1");
    EXPECT_EQ(line->forwarded_for, "203.0.113.9");
    EXPECT_EQ(line->error, "");
  }
}

TEST(Audit, WhatFailedSaysSo) {
  EXPECT_EQ(Case(Operation::kDeleteKernel, 500).audited()->result, "failed");
  EXPECT_EQ(Case(Operation::kCreateKernel, 403).audited()->result, "failed");  // the gateway's own
  const Case gone(Operation::kCreateKernel, 0, ErrorCode::kClientGone);
  EXPECT_EQ(gone.audited()->result, "failed");
  EXPECT_EQ(gone.audited()->error, "client_gone");
}

TEST(Audit, ReadingIsNoEvent) {
  for (const Operation operation :
       {Operation::kListKernels, Operation::kGetKernel, Operation::kListKernelSpecs,
        Operation::kConnectKernel, Operation::kOther, Operation::kLocal}) {
    EXPECT_FALSE(Case(operation, 200).audited());
  }
}

TEST(Audit, RefusalsAreWrittenWhateverWasAskedFor) {
  for (const ErrorCode code :
       {ErrorCode::kUnauthorized, ErrorCode::kSessionExpired, ErrorCode::kForbidden}) {
    Case refused(Operation::kListKernels, 401, code);
    refused.record.principal = nullptr;
    const auto line = refused.audited();
    ASSERT_TRUE(line);
    EXPECT_EQ(line->event, AuditEvent::kRefuse);
    EXPECT_EQ(line->result, "refused");
    EXPECT_EQ(line->error, error_row(code).label);
    EXPECT_EQ(line->detail, "why");
    EXPECT_EQ(line->subject, "");
  }
  const Case forbidden(Operation::kDeleteKernel, 403, ErrorCode::kForbidden);
  EXPECT_EQ(forbidden.audited()->event, AuditEvent::kRefuse);
  EXPECT_EQ(forbidden.audited()->subject, "alice");
}

TEST(Audit, SomebodyElsesKernelIsARefusalThatSaysWhat) {
  Case others(Operation::kDeleteKernel, 404, ErrorCode::kNoKernel);
  EXPECT_EQ(others.audited()->event, AuditEvent::kRefuse);
  EXPECT_EQ(others.audited()->kernel, "k1");
  Case denied(Operation::kCreateKernel, 403, ErrorCode::kLaunchDenied);
  denied.record.detail = "KERNEL_IMAGE is not for clients to set";
  EXPECT_EQ(denied.audited()->detail, denied.record.detail);
}

TEST(Audit, AnOpenWebSocketThatIsRevokedIsOneAndThatExpiresIsNone) {
  Case revoked(Operation::kConnectKernel, 101, ErrorCode::kSessionRevoked);
  revoked.record.websocket = true;
  ASSERT_TRUE(revoked.audited());
  EXPECT_EQ(revoked.audited()->event, AuditEvent::kRevoke);
  EXPECT_EQ(revoked.audited()->result, "ok");
  EXPECT_EQ(revoked.audited()->subject, "alice");
  revoked.record.error.code = ErrorCode::kSessionExpired;
  EXPECT_FALSE(revoked.audited());
}

TEST(Audit, WhatNobodySentIsNone) {
  Case bad(Operation::kCreateKernel, 400, ErrorCode::kBadRequest);
  bad.record.principal = nullptr;
  EXPECT_FALSE(bad.audited());
}

TEST(Audit, SupportIsWrittenWhateverItDoes) {
  Case list(Operation::kListKernels, 200);
  list.record.support = true;
  ASSERT_TRUE(list.audited());
  EXPECT_EQ(list.audited()->event, AuditEvent::kSupport);
  EXPECT_TRUE(list.audited()->support);
  Case interrupt(Operation::kInterruptKernel, 204);
  interrupt.record.support = true;
  EXPECT_EQ(interrupt.audited()->event, AuditEvent::kInterrupt);
  EXPECT_TRUE(interrupt.audited()->support);
}

}  // namespace kg::exchange::audit_test
