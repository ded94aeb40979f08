#include "auth/opaque_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/auth/forge.h"

namespace kg::auth::opaque_tokens_test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::string_view kToken = "kgt_aliceaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

std::string hex(std::string_view token) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : crypto::sha256(token)) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string line(std::string_view token, std::string_view members) {
  return R"({"sha256":")" + hex(token) + R"(",)" + std::string(members) + "}\n";
}

std::string error_of(const std::string& text) {
  const OpaqueTokens::Loaded loaded = OpaqueTokens::from_text(text);
  EXPECT_EQ(loaded.tokens, nullptr) << text;
  return loaded.error;
}

TEST(OpaqueTokens, ALineSaysWhoseTheTokenIs) {
  const OpaqueTokens::Loaded loaded = OpaqueTokens::from_text(
      "# made by hand\n\n" +
      line(kToken,
           R"("sub":"alice","exp":1800000800,"iat":1800000000,"endpoint":"abc",)"
           R"("virtual_cluster":"analytics",)"
           R"("groups":["a","b"],"role":"arn:x","log_context":"team","jti":"t1","sid":"s1",)"
           R"("claims":{"department":["x","y"],"cleared":true})") +
      line("kgt_bob_bbbbbbbbbbbbbbbbbbbbbbbb", R"("sub":"bob","exp":1)"));
  ASSERT_NE(loaded.tokens, nullptr) << loaded.error;
  EXPECT_EQ(loaded.tokens->size(), 2U);
  const Principal* alice = loaded.tokens->find(kToken);
  ASSERT_NE(alice, nullptr);
  EXPECT_EQ(alice->subject, "alice");
  EXPECT_EQ(alice->endpoint, "abc");
  EXPECT_EQ(alice->virtual_cluster, "analytics");
  EXPECT_THAT(alice->groups, ElementsAre("a", "b"));
  EXPECT_EQ(alice->role, "arn:x");
  EXPECT_EQ(alice->log_context, "team");
  EXPECT_EQ(alice->token_id, "t1");
  EXPECT_EQ(alice->session_id, "s1");
  EXPECT_EQ(alice->issued_at, 1'800'000'000);
  EXPECT_EQ(alice->expires_at, 1'800'000'800);
  EXPECT_THAT(alice->claims, ElementsAre(Pair("cleared", "true"), Pair("department", "x"),
                                         Pair("department", "y")));
  const Principal* bob = loaded.tokens->find("kgt_bob_bbbbbbbbbbbbbbbbbbbbbbbb");
  ASSERT_NE(bob, nullptr) << "over, but known: whoever asks can say so";
  EXPECT_EQ(bob->expires_at, 1);
  EXPECT_THAT(bob->groups, IsEmpty());
}

TEST(OpaqueTokens, OnlyTheTokenItselfIsFound) {
  const auto tokens = OpaqueTokens::from_text(line(kToken, R"("sub":"alice","exp":1)")).tokens;
  ASSERT_NE(tokens, nullptr);
  EXPECT_EQ(tokens->find(""), nullptr);
  EXPECT_EQ(tokens->find(hex(kToken)), nullptr) << "the digest is no token";
  EXPECT_EQ(tokens->find(std::string(kToken) + "a"), nullptr);
  EXPECT_EQ(tokens->find(kToken.substr(1)), nullptr);
}

TEST(OpaqueTokens, ShortTokensAreNeverLookedUp) {
  const std::string guessable(kOpaqueTokenBytesMin - 1, 'a');
  const auto tokens = OpaqueTokens::from_text(line(guessable, R"("sub":"a","exp":1)") +
                                              line(guessable + 'a', R"("sub":"b","exp":1)"))
                          .tokens;
  ASSERT_NE(tokens, nullptr);
  EXPECT_EQ(tokens->find(guessable), nullptr);
  EXPECT_NE(tokens->find(guessable + 'a'), nullptr);
}

TEST(OpaqueTokens, AnyBrokenLineRefusesTheFile) {
  const std::string good = line("good", R"("sub":"alice","exp":1)");
  const struct {
    std::string line;
    const char* error;
  } cases[] = {
      {"x", "line 2 is not JSON"},
      {"[]", "line 2 is not a JSON object"},
      {" # indented", "line 2 is not JSON"},
      {line("a", R"("sub":"a","exp":1,"sub":"b")"), "line 2 has a member twice"},
      {line("a", R"("sub":"a","exp":1,"rol":"x")"), "line 2 has a member of an unknown name"},
      {line("a", R"("sub":"a")"), "line 2 has no exp"},
      {line("a", R"("sub":"a","exp":"1")"), "line 2 has no exp"},
      {line("a", R"("sub":"a","exp":1,"iat":"x")"), "line 2 has an iat"},
      {line("a", R"("exp":1)"), "line 2 is unusable: no subject"},
      {line("a", R"("sub":"","exp":1)"), "line 2 is unusable: no subject"},
      {line("a", R"("sub":"a","exp":1,"groups":[7])"), "line 2 is unusable: groups"},
      {line("a", R"("sub":"a","exp":1,"role":7)"), "line 2 is unusable"},
      {line("a", R"("sub":"a","exp":1,"claims":[])"), "line 2 has claims that are no object"},
      {R"({"sub":"a","exp":1})", "line 2 has no sha256"},
      {R"({"sha256":"ABCD","sub":"a","exp":1})", "line 2 has no sha256"},
      {line("good", R"("sub":"b","exp":2)"), "two lines have the same sha256"},
  };
  for (const auto& one : cases) EXPECT_THAT(error_of(good + one.line), HasSubstr(one.error));
}

TEST(OpaqueTokens, AnEmptyFileHasNoTokens) {
  for (const char* text : {"", "\n", "# nobody\n", "\r\n\r\n"}) {
    const OpaqueTokens::Loaded loaded = OpaqueTokens::from_text(text);
    ASSERT_NE(loaded.tokens, nullptr) << loaded.error;
    EXPECT_EQ(loaded.tokens->size(), 0U);
    EXPECT_EQ(loaded.tokens->find(kToken), nullptr);
  }
}

TEST(OpaqueTokens, ChangesOfOldLinesAreSeenAndNewLinesAreNone) {
  const auto load = [](const std::string& text) { return OpaqueTokens::from_text(text).tokens; };
  const std::string a = line(kToken, R"("sub":"alice","exp":9)");
  const std::string b = line("kgt_bob", R"("sub":"bob","exp":9)");
  const auto before = load(a + b);
  EXPECT_TRUE(load(b + "# and\n" + a)->holds_all_of(*before));
  EXPECT_TRUE(load(a + b + line("c", R"("sub":"c","exp":9)"))->holds_all_of(*before));
  EXPECT_FALSE(load(a)->holds_all_of(*before)) << "revoked";
  EXPECT_FALSE(load(a + line("kgt_bob", R"("sub":"bob","exp":8)"))->holds_all_of(*before));
}

TEST(OpaqueTokens, AHundredThousandLinesAtMost) {
  std::string text;
  for (size_t i = 0; i < kOpaqueTokensMax; ++i) {
    text += line(std::to_string(i), R"("sub":"a","exp":1)");
  }
  const OpaqueTokens::Loaded full = OpaqueTokens::from_text(text);
  ASSERT_NE(full.tokens, nullptr) << full.error;
  EXPECT_EQ(full.tokens->size(), kOpaqueTokensMax);
  EXPECT_THAT(error_of(text + line("x", R"("sub":"a","exp":1)")), HasSubstr("more than 100000"));
}

TEST(OpaqueTokens, ErrorsOfFilesNameThem) {
  const forge::TempFile good(line(kToken, R"("sub":"alice","exp":1)"));
  EXPECT_NE(OpaqueTokens::from_file(good.path()).tokens, nullptr);
  const forge::TempFile bad("x");
  EXPECT_EQ(OpaqueTokens::from_file(bad.path()).error, bad.path() + ": line 1 is not JSON");
  EXPECT_THAT(OpaqueTokens::from_file("/nonexistent/tokens").error, HasSubstr("No such file"));
}

}  // namespace kg::auth::opaque_tokens_test
