#include "auth/revocations.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/base/limits.h"

namespace kg::auth::revocations_test {

constexpr int64_t kNow = 1'700'000'000;

Principal alice() {
  Principal out;
  out.realm = "studio";
  out.subject = "alice";
  out.token_id = "t1";
  out.session_id = "s1";
  out.issued_at = kNow - 100;
  return out;
}

Revocations set_of(std::string_view lines) {
  const Revocations::Lines read = Revocations::read_lines(lines);
  EXPECT_EQ(read.error, "");
  return {read.entries, kNow};
}

bool revoked(std::string_view lines, const Principal& principal = alice()) {
  return set_of(lines).revokes(marks_of(principal, "ep"), {"analytics", "ep"}, kNow);
}

TEST(Revocations, NameATokenASessionASubjectOrAnEndpoint) {
  EXPECT_FALSE(revoked(""));
  EXPECT_TRUE(revoked(R"({"token_id": "t1"})"));
  EXPECT_FALSE(revoked(R"({"token_id": "t2"})"));
  EXPECT_FALSE(revoked(R"({"token_id": "s1"})")) << "kinds are apart";
  EXPECT_TRUE(revoked(R"({"session": "s1"})"));
  EXPECT_TRUE(revoked(R"({"subject": "alice", "realm": "studio"})"));
  EXPECT_FALSE(revoked(R"({"subject": "alice", "realm": "okta"})")) << "another person";
  EXPECT_TRUE(revoked(R"({"endpoint": "ep"})"));
  EXPECT_FALSE(revoked(R"({"endpoint": "other"})"));
}

TEST(Revocations, WhatAPrincipalLacksIsNotRevoked) {
  Principal bare = alice();
  bare.token_id.clear();
  bare.session_id.clear();
  EXPECT_FALSE(revoked("{\"token_id\": \"t1\"}\n{\"session\": \"s1\"}", bare));
}

TEST(Revocations, MayConcernOnlyWhatWasIssuedBefore) {
  const std::string entry = R"({"subject": "alice", "realm": "studio", "before": 1699999950})";
  EXPECT_TRUE(revoked(entry));
  Principal fresh = alice();
  fresh.issued_at = 1'699'999'950;
  EXPECT_FALSE(revoked(entry, fresh));
  fresh.issued_at = 0;
  EXPECT_TRUE(revoked(entry, fresh)) << "not known when: it may be old";
}

TEST(Revocations, TheNarrowerEntryOfOneTargetTakesNothingFromTheWider) {
  Principal fresh = alice();
  fresh.issued_at = kNow;
  const std::string narrow = R"({"token_id": "t1", "before": 1699999950})";
  const std::string wide = R"({"token_id": "t1"})";
  EXPECT_TRUE(revoked(narrow + "\n" + wide, fresh));
  EXPECT_TRUE(revoked(wide + "\n" + narrow, fresh));
}

TEST(Revocations, EndByThemselves) {
  const Revocations set = set_of(R"({"token_id": "t1", "until": 1700000010})");
  const SessionMarks marks = marks_of(alice(), "ep");
  EXPECT_TRUE(set.revokes(marks, {"analytics", "ep"}, kNow + 9));
  EXPECT_FALSE(set.revokes(marks, {"analytics", "ep"}, kNow + 10));
  EXPECT_TRUE(set_of(R"({"token_id": "t1", "until": 1700000000})").empty());
}

TEST(Revocations, LinesMayBeEmptyOrComments) {
  EXPECT_TRUE(
      revoked("# stolen laptop\r\n\r\n  {\"token_id\": \"t1\", \"note\": \"ask Bob\"}  \r\n"));
}

TEST(Revocations, OneFaultSpoilsTheFileAndIsNamed) {
  const std::string good = "{\"token_id\": \"t1\"}\n";
  for (const char* bad : {"token_id: t1",
                          "[]",
                          R"({"token_id": "a", "token_id": "b"})",
                          R"({"note": "who?"})",
                          R"({"token_id": "a", "session": "b"})",
                          R"({"token_id": ""})",
                          R"({"token_id": 7})",
                          R"({"token_id": "a\u0000"})",
                          R"({"token_id": "a\n"})",
                          R"({"subject": "alice"})",
                          R"({"token_id": "a", "realm": "b"})",
                          R"({"subject": "a", "realm": 1})",
                          R"({"token_id": "a", "before": "today"})",
                          R"({"token_id": "a", "until": 0.5})",
                          R"({"token_id": "a", "until": -1})",
                          R"({"token_id": "a", "before": null})",
                          R"({"token_id": "a", "scope": ""})",
                          R"({"token_id": "a", "scope": "b/"})",
                          R"({"token_id": "a", "scope": "b/c/d"})",
                          R"({"token_id": "a", "scope": "*"})",
                          R"({"token_id": "a", "scope": 1})",
                          R"({"token_id_sha256": "ab"})",
                          R"({"token_id": "a", "util": 1800000000})",
                          R"({"token_id": "a", "note": 1})",
                          R"({"token_id": "a"} {"token_id": "b"})"}) {
    const Revocations::Lines read = Revocations::read_lines(good + bad);
    EXPECT_TRUE(read.entries.empty()) << bad;
    EXPECT_EQ(read.error.substr(0, 7), "line 2 ") << bad << ": " << read.error;
  }
  EXPECT_FALSE(Revocation::parse("{\"token_id\": \"" + std::string(257, 'x') + "\"}").revocation);
  EXPECT_TRUE(Revocation::parse("{\"token_id\": \"" + std::string(256, 'x') + "\"}").revocation);
}

TEST(Revocations, AreBounded) {
  std::string text;
  for (size_t i = 0; i < limits::kRevocationsMax; ++i) {
    text += "{\"token_id\":\"" + std::to_string(i) + "\"}\n";
  }
  EXPECT_EQ(Revocations::read_lines(text).entries.size(), limits::kRevocationsMax);
  EXPECT_NE(Revocations::read_lines(text + "{\"token_id\":\"x\"}").error, "");
}

TEST(Revocations, AreKnownByTheirMarksToWhoMustNotReadThem) {
  // printf 'subject\nstudio\nalice' | sha256sum
  const std::string mark = "6f78f87bc729dc048148c6b108236f0a312fd454cd37388a7cba0b72d419884e";
  for (const char* line : {R"({"token_id": "t1"})", R"({"session": "s1"})",
                           R"({"subject": "alice", "realm": "studio"})", R"({"endpoint": "ep"})"}) {
    const Revocation named = *Revocation::parse(line).revocation;
    const std::string marked = named.marked().json();
    EXPECT_EQ(marked.find("alice"), std::string::npos) << marked;
    EXPECT_TRUE(revoked(marked)) << marked;
    EXPECT_TRUE(Revocation::parse(marked).revocation->same_target(named));
  }
  EXPECT_TRUE(revoked("{\"subject_sha256\": \"" + mark + "\"}"));
  const std::string zeros(64, '0');
  Principal bare;
  EXPECT_FALSE(revoked("{\"token_id_sha256\": \"" + zeros + "\"}", bare)) << "it has no token id";
  EXPECT_FALSE(
      Revocation::parse("{\"subject_sha256\": \"" + zeros + "\", \"realm\": \"x\"}").revocation);
  EXPECT_FALSE(
      Revocation::parse("{\"session_sha256\": \"" + std::string(64, 'A') + "\"}").revocation);
}

TEST(Revocations, CountWithinTheirScopeOnly) {
  const auto at = [](const char* scope, const Place& place) {
    const std::string line = R"({"token_id": "t1", "scope": ")" + std::string(scope) + "\"}";
    return set_of(line).revokes(marks_of(alice(), place.endpoint), place, kNow);
  };
  EXPECT_TRUE(at("analytics", {"analytics", "ep"}));
  EXPECT_FALSE(at("analytics", {"research", "ep"})) << "the same id elsewhere is another endpoint";
  EXPECT_FALSE(at("ana", {"analytics", "ep"}));
  EXPECT_TRUE(at("analytics/ep", {"analytics", "ep"}));
  EXPECT_FALSE(at("analytics/ep", {"analytics", "ep2"}));
  EXPECT_FALSE(at("analytics/ep", {"research", "ep"}));
}

TEST(Revocations, WriteThemselvesAsTheyAreRead) {
  for (const char* line :
       {R"({"token_id":"t\"1"})", R"({"session":"s1","before":5})",
        R"({"endpoint":"ep","scope":"analytics/ep","until":7})",
        R"({"subject":"alice","realm":"studio","before":5,"until":7})", R"({"endpoint":"ep"})"}) {
    const Revocation::Parsed parsed = Revocation::parse(line);
    ASSERT_TRUE(parsed.revocation) << parsed.fault;
    EXPECT_EQ(parsed.revocation->json(), line);
  }
}

}  // namespace kg::auth::revocations_test
