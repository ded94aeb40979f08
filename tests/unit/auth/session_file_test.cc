// Files that change while they serve, and the authenticators that rest on them.
#include "auth/session_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "auth/opaque_authenticator.h"
#include "tests/unit/auth/session_fixture.h"

namespace kg::auth::session_file_test {

using forge::kNow;
using forge::TempFile;
using forge::TestKey;
using testing::HasSubstr;
using Outcome = SessionFile::Outcome;

// SHA-256 of kToken.
constexpr std::string_view kToken = "kgt_aliceaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
std::string line(std::string_view members, std::string_view token = kToken) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text = R"({"sha256":")";
  for (const unsigned char byte : crypto::sha256(token)) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text + R"(",)" + std::string(members) + "}\n";
}

void write(const TempFile& file, const std::string& text) { std::ofstream(file.path()) << text; }

Outcome reload(SessionFile& file) {
  std::string problem;
  const Outcome outcome = file.reload(problem);
  EXPECT_EQ(problem.empty(), outcome != Outcome::kUnusable) << problem;
  return outcome;
}

TEST(SessionFile, ABrokenFileKeepsTheLastGoodOne) {
  const TestKey key = TestKey::ec();
  const TempFile path(key.public_pem());
  KeysFile file(path.path());
  EXPECT_EQ(file.keys(), nullptr);
  EXPECT_EQ(reload(file), Outcome::kFresh);
  const auto before = file.keys();
  ASSERT_NE(before, nullptr);
  EXPECT_EQ(reload(file), Outcome::kSame);
  write(path, "broken");
  std::string problem;
  EXPECT_EQ(file.reload(problem), Outcome::kUnusable);
  EXPECT_THAT(problem, HasSubstr(path.path()));
  EXPECT_EQ(file.keys(), before);
}

TEST(SessionFile, AGenerationEndsWithAWithdrawnKeyNotWithANewOne) {
  const TestKey first = TestKey::ec();
  const TestKey second = TestKey::ed25519();
  const TempFile path(first.public_pem());
  KeysFile file(path.path());
  reload(file);
  const uint64_t before = file.generation();
  write(path, first.public_pem() + second.public_pem());
  EXPECT_EQ(reload(file), Outcome::kFresh);
  EXPECT_EQ(file.generation(), before) << "what was verified still is";
  write(path, second.public_pem());
  EXPECT_EQ(reload(file), Outcome::kFresh);
  EXPECT_NE(file.generation(), before);
  EXPECT_FALSE(file.keys()->knows("", Algorithm::kEs256));
}

TEST(SessionFile, AConfigurationReadsEachFileOnce) {
  const TempFile keys(TestKey::ec().public_pem());
  SessionFiles files;
  std::string problem;
  const auto one = files.keys(keys.path(), problem);
  EXPECT_EQ(files.keys(keys.path(), problem), one);
  EXPECT_EQ(problem, "");
  EXPECT_EQ(files.all().size(), 1U);
  EXPECT_EQ(files.opaque(keys.path(), problem), nullptr);
  EXPECT_THAT(problem, HasSubstr("is not JSON"));
  EXPECT_EQ(files.all().size(), 1U);
}

Verdict judge(const Authenticator& link, std::string_view token, int64_t now = kNow) {
  Evidence evidence;
  evidence.token = token;
  return link.judge(evidence, now);
}

TEST(OpaqueAuthenticator, KnowsTheTokensOfItsFile) {
  const TempFile path(line(R"("sub":"alice","exp":1800000800,"endpoint":"abc123")"));
  const auto file = std::make_shared<OpaqueFile>(path.path());
  reload(*file);
  const OpaqueAuthenticator link("desk", file);
  const Verdict alice = judge(link, kToken);
  ASSERT_EQ(alice.kind, Verdict::Kind::kPrincipal) << alice.error.detail;
  EXPECT_EQ(alice.principal.realm, "desk");
  EXPECT_EQ(alice.principal.subject, "alice");
  EXPECT_EQ(alice.principal.endpoint, "abc123");
  EXPECT_EQ(judge(link, "kgt_someone_elses_token_aaaaaaaa").kind, Verdict::Kind::kNotMine);
  const Verdict late = judge(link, kToken, 1'800'000'800);
  EXPECT_EQ(late.kind, Verdict::Kind::kRefused);
  EXPECT_EQ(late.error.code, ErrorCode::kSessionExpired);
}

TEST(OpaqueAuthenticator, ARemovedLineEndsItsSession) {
  const std::string bob = line(R"("sub":"bob","exp":1800000800)", "kgt_bob_bbbbbbbbbbbbbbbbbbbb");
  const TempFile path(line(R"("sub":"alice","exp":1800000800)") + bob);
  const auto file = std::make_shared<OpaqueFile>(path.path());
  reload(*file);
  const OpaqueAuthenticator link("desk", file);
  EXPECT_EQ(judge(link, kToken).kind, Verdict::Kind::kPrincipal);
  const uint64_t before = link.generation();
  write(path, bob);
  EXPECT_EQ(reload(*file), Outcome::kFresh);
  EXPECT_EQ(judge(link, kToken).kind, Verdict::Kind::kNotMine);
  EXPECT_NE(link.generation(), before);
}

}  // namespace kg::auth::session_file_test
