#include "routing/revocation_notice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "routing/feed/scope.h"
#include "routing/renewal_notice.h"

namespace kg::routing::revocation_notice_test {

auth::Revocation entry(std::string_view json) {
  auth::Revocation::Parsed parsed = auth::Revocation::parse(json);
  EXPECT_TRUE(parsed.revocation) << json << " " << parsed.fault;
  return parsed.revocation.value_or(auth::Revocation());
}

TEST(RevocationNotice, ItsScopeIsThatOfItsFactAndItNamesNobody) {
  for (const char* scope : {"", "analytics", "analytics/ep"}) {
    RevocationNotice notice{true, entry(R"({"subject": "alice", "realm": "studio", "before": 7})")};
    notice.revocation.scope = scope;
    const feed::Fact fact = notice.fact();
    EXPECT_EQ(fact.bytes.find("alice"), std::string::npos);
    const auto read = RevocationNotice::of(fact);
    ASSERT_TRUE(read) << scope;
    EXPECT_TRUE(read->revoked);
    EXPECT_EQ(read->revocation, notice.revocation.marked());
  }
  feed::Fact fact = RevocationNotice{false, entry(R"({"token_id": "t1"})")}.fact();
  EXPECT_FALSE(RevocationNotice::of(fact)->revoked);
  fact.scope_namespace = "analytics";
  EXPECT_FALSE(RevocationNotice::of(fact)) << "no scope of a revocation";
  fact.endpoint = feed::kEveryEndpoint;
  EXPECT_EQ(RevocationNotice::of(fact)->revocation.scope, "analytics");
}

TEST(RevocationNotice, CannotSpeakBeyondItsFactNorByName) {
  for (const char* bytes :
       {R"(revoke {"token_id": "t1"})", R"(revoke {"session_sha256": "00", "scope": "research"})",
        R"(revoke )", R"(renew {})", R"(revoked {"token_id": "t1"})", ""}) {
    EXPECT_FALSE(RevocationNotice::of({"", "analytics", "*", bytes})) << bytes;
  }
  const std::string mark(64, 'a');
  const std::string good = R"(revoke {"session_sha256": ")" + mark + "\"";
  EXPECT_TRUE(RevocationNotice::of({"", "analytics", "*", good + "}"}));
  EXPECT_FALSE(RevocationNotice::of({"", "analytics", "*", good + R"(, "scope": "research"})"}));
}

TEST(RevocationNotice, EachScopeHasAListOfItsOwn) {
  const std::vector<auth::Revocation> entries{
      entry(R"({"token_id": "t1"})"), entry(R"({"token_id": "t2", "scope": "analytics"})"),
      entry(R"({"token_id": "t3", "scope": "analytics/ep"})"),
      entry(R"({"token_id": "t4", "scope": "analytics"})")};
  const std::vector<feed::Item> items = revocation_items(entries);
  ASSERT_EQ(items.size(), 3U);
  std::string problem;
  const auto sidecar = *feed::Scope::parse("endpoint:analytics/ep", problem);
  const auto sibling = *feed::Scope::parse("endpoint:analytics/other", problem);
  const auto research = *feed::Scope::parse("namespace:research", problem);
  size_t read = 0;
  for (const feed::Item& item : items) {
    EXPECT_TRUE(is_revocations_key(item.key));
    EXPECT_TRUE(sidecar.sees(item));
    EXPECT_EQ(sibling.sees(item), item.endpoint != "ep") << item.key;
    EXPECT_EQ(research.sees(item), item.key == "revocations") << item.key;
    EXPECT_EQ(item.payload->find("t1"), std::string::npos);
    const auto list = read_revocations(item);
    ASSERT_TRUE(list) << *item.payload;
    for (const auth::Revocation& one : *list) {
      EXPECT_EQ(
          std::ranges::count(entries, true, [&](const auto& e) { return e.same_target(one); }), 1);
    }
    read += list->size();
  }
  EXPECT_EQ(read, entries.size());
  EXPECT_EQ(revocation_items({}).size(), 1U);
  EXPECT_FALSE(is_revocations_key("revocations2"));
}

// Whoever reads it deeper needs a stack for it.
TEST(RevocationNotice, AListIsNoDeeperThanListsAre) {
  const auto list = [](const std::string& value) {
    const std::string payload =
        R"({"schema":1,"kind":"revocations","entries":[],"new":)" + value + "}";
    return feed::Item{"revocations", "", "", std::make_shared<const std::string>(payload)};
  };
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + "7" + std::string(depth, ']');
  };
  EXPECT_TRUE(read_revocations(list(nested(7)))) << "of a later version";
  EXPECT_FALSE(read_revocations(list(nested(9))));
  EXPECT_FALSE(read_revocations(list(nested(1'000'000))));
}

TEST(RenewalNotice, IsReadAsItIsWrittenOrNotAtAll) {
  Renewal one;
  one.subject.fill(1);
  one.token.fill(2);
  one.issued_at = 1'700'000'000;
  one.expires_at = 1'700'000'900;
  const std::vector<Renewal> many(kRenewalsPerFact, one);
  EXPECT_EQ(read_renewals(renewals_text(many)), many);
  const std::string text = renewals_text(std::vector{one});
  EXPECT_EQ(read_renewals(text), std::vector{one});
  EXPECT_FALSE(read_renewals(text + "x"));
  EXPECT_FALSE(read_renewals(text.substr(0, text.size() - 1)));
  EXPECT_FALSE(read_renewals("renew "));
  EXPECT_FALSE(read_renewals("revoke " + text.substr(6)));
  EXPECT_FALSE(read_renewals(renewals_text(many) + text.substr(6))) << "more than fit";
  one.expires_at = 0;
  EXPECT_FALSE(read_renewals(renewals_text(std::vector{one})));
  one.expires_at = -1;
  EXPECT_FALSE(read_renewals(renewals_text(std::vector{one})));
  one.expires_at = 1;
  one.subject.fill(0);
  EXPECT_FALSE(read_renewals(renewals_text(std::vector{one}))) << "nobody's";
}

}  // namespace kg::routing::revocation_notice_test
