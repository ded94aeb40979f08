#include "auth/session_mint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/jwk.h"
#include "proxy/base/limits.h"
#include "tests/unit/auth/door.h"
#include "tests/unit/auth/forge.h"

namespace kg::auth::session_mint_test {

using forge::TempFile;
using forge::TestKey;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kNow = 1'800'000'000;

SessionClaims claims() {
  SessionClaims claims;
  claims.issuer = "https://studio.example.com";
  claims.audience = "kernelgate";
  claims.endpoint = "abc123";
  claims.subject = R"(alice "the" \ münchen)";
  claims.issued_at = kNow;
  claims.lifetime_seconds = limits::kSessionSecondsDefault;
  return claims;
}

DoorRules policy() {
  DoorRules policy;
  policy.realm = "studio";
  policy.issuer = "https://studio.example.com";
  policy.audience = "kernelgate";
  policy.endpoint_id = "abc123";
  policy.virtual_cluster = "analytics";
  return policy;
}

class SessionMint : public testing::TestWithParam<int> {
 protected:
  // RSA keys take long to make: one of each kind, and a stranger of each kind.
  static const TestKey& key(bool stranger = false) {
    static const TestKey keys[] = {TestKey::ec(),      TestKey::ec("P-384"), TestKey::rsa(),
                                   TestKey::ed25519(), TestKey::ec(),        TestKey::ec("P-384"),
                                   TestKey::rsa(),     TestKey::ed25519()};
    return keys[GetParam() + (stranger ? 4 : 0)];
  }
};

TEST_P(SessionMint, WhatItSignsVerifiesWithTheKeysItPrints) {
  const TempFile file(key().private_pem());
  SessionClaims wanted = claims();
  wanted.groups = {"analytics", "a,b"};
  wanted.role = "arn:aws:iam::123456789012:role/analyst";
  wanted.log_context = "team-a";
  wanted.virtual_cluster = "analytics";
  const Minted minted = mint_session(file.path(), wanted);
  ASSERT_EQ(minted.error, "");
  const PublicKeys printed = public_jwks(file.path());
  ASSERT_EQ(printed.error, "");
  const KeySet::Loaded loaded = KeySet::from_text(printed.json);
  ASSERT_NE(loaded.keys, nullptr) << loaded.error << printed.json;
  const auto principal = Door(policy(), loaded.keys).verify(minted.token.reveal(), kNow);
  ASSERT_TRUE(principal) << principal.error().detail;
  EXPECT_EQ(principal->subject, wanted.subject);
  EXPECT_EQ(principal->endpoint, wanted.endpoint);
  EXPECT_EQ(principal->virtual_cluster, "analytics");
  EXPECT_EQ(principal->role, wanted.role);
  EXPECT_EQ(principal->log_context, wanted.log_context);
  EXPECT_THAT(principal->groups, ElementsAre("analytics", "a,b"));
  EXPECT_EQ(principal->token_id.size(), 36U);
  EXPECT_EQ(principal->expires_at, kNow + 900);
  EXPECT_THAT(printed.json, HasSubstr(R"("use":"sig")"));
}

TEST_P(SessionMint, AnotherKidIsUnknown) {
  const TempFile file(key().private_pem());
  const TempFile stranger(key(/*stranger=*/true).private_pem());
  const Minted minted = mint_session(stranger.path(), claims());
  const KeySet::Loaded loaded = KeySet::from_text(public_jwks(file.path()).json);
  ASSERT_NE(loaded.keys, nullptr);
  const auto refused = Door(policy(), loaded.keys).verify(minted.token.reveal(), kNow);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("no key has the token's kid"));
}

TEST_P(SessionMint, AnotherVirtualClusterIsRefused) {
  const TempFile file(key().private_pem());
  SessionClaims elsewhere = claims();
  elsewhere.virtual_cluster = "science";
  const Minted minted = mint_session(file.path(), elsewhere);
  const auto refused = Door(policy(), key().set()).verify(minted.token.reveal(), kNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kForbidden);
}

TEST_P(SessionMint, TwoTokensHaveTwoIds) {
  const TempFile file(key().private_pem());
  const Door verifier(policy(), key().set());
  const auto one = verifier.verify(mint_session(file.path(), claims()).token.reveal(), kNow);
  const auto two = verifier.verify(mint_session(file.path(), claims()).token.reveal(), kNow);
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->token_id, two->token_id);
  EXPECT_TRUE(one->groups.empty());
  EXPECT_EQ(one->role, "");
}

INSTANTIATE_TEST_SUITE_P(EveryAlgorithm, SessionMint, testing::Values(0, 1, 2, 3));

TEST(SessionMintErrors, ClaimsOutsideTheLimits) {
  const TempFile file(TestKey::ec().private_pem());
  const auto error = [&file](void (*change)(SessionClaims&)) {
    SessionClaims changed = claims();
    change(changed);
    const Minted minted = mint_session(file.path(), changed);
    EXPECT_TRUE(minted.token.empty() || minted.error.empty());
    return minted.error;
  };
  EXPECT_THAT(error([](SessionClaims& c) { c.lifetime_seconds = 0; }), HasSubstr("12 h"));
  EXPECT_THAT(error([](SessionClaims& c) { c.lifetime_seconds = 43'201; }), HasSubstr("12 h"));
  EXPECT_EQ(error([](SessionClaims& c) { c.lifetime_seconds = 43'200; }), "");
  EXPECT_THAT(error([](SessionClaims& c) { c.issuer = ""; }), HasSubstr("issuer"));
  EXPECT_THAT(error([](SessionClaims& c) { c.audience = ""; }), HasSubstr("audience"));
  EXPECT_THAT(error([](SessionClaims& c) { c.endpoint = ""; }), HasSubstr("endpoint"));
  EXPECT_THAT(error([](SessionClaims& c) { c.subject = ""; }), HasSubstr("subject"));
  EXPECT_THAT(error([](SessionClaims& c) { c.subject = std::string(20'000, 'a'); }),
              HasSubstr("16 KiB"));
}

TEST(SessionMintErrors, KeysThatCannotSign) {
  const auto error = [](const std::string& text) {
    const TempFile file(text);
    const Minted minted = mint_session(file.path(), claims());
    EXPECT_TRUE(minted.token.empty());
    EXPECT_EQ(public_jwks(file.path()).error, minted.error);
    return minted.error;
  };
  EXPECT_THAT(error(TestKey::ec().public_pem()), HasSubstr("holds no private key"));
  EXPECT_THAT(error(""), HasSubstr("holds no private key"));
  EXPECT_THAT(error(TestKey::ec().encrypted_pem()), HasSubstr("is encrypted"));
  EXPECT_THAT(error(TestKey::ec("P-521").private_pem()), HasSubstr("another curve"));
  EXPECT_THAT(error(TestKey::rsa(1024).private_pem()), HasSubstr("less than 2048"));
  EXPECT_THAT(mint_session("/nonexistent/key.pem", claims()).error, HasSubstr("No such file"));
}

TEST(SessionSigner, TheFirstKeySignsAndAllArePublished) {
  const TestKey first = TestKey::ed25519();
  const TestKey second = TestKey::ec();
  const TempFile file(first.private_pem() + second.private_pem());
  const SessionSigner::Loaded loaded = SessionSigner::from_file(file.path());
  ASSERT_NE(loaded.signer, nullptr) << loaded.error;
  EXPECT_EQ(loaded.signer->algorithm(), Algorithm::kEdDsa);
  const KeySet::Loaded published = KeySet::from_text(loaded.signer->public_jwks());
  ASSERT_NE(published.keys, nullptr) << published.error;
  EXPECT_EQ(published.keys->size(), 2U);
  EXPECT_TRUE(published.keys->knows(loaded.signer->kid(), Algorithm::kEdDsa));
  SessionClaims wanted = claims();
  wanted.token_id = "0b0e7d0c";
  wanted.names = {"user", "room", "teams", {}};
  wanted.groups = {"g"};
  DoorRules rules = policy();
  rules.names = wanted.names;
  const auto principal =
      Door(rules, first.set()).verify(loaded.signer->sign(wanted).token.reveal(), kNow);
  ASSERT_TRUE(principal) << principal.error().detail;
  EXPECT_EQ(principal->token_id, "0b0e7d0c");
  EXPECT_EQ(principal->subject, wanted.subject);
  EXPECT_THAT(principal->groups, ElementsAre("g"));
  wanted.names.endpoint = "iss";
  EXPECT_THAT(loaded.signer->sign(wanted).error, HasSubstr("one name"));
}

TEST(SessionSigner, AFileWithOneBrokenKeyIsRefusedWhole) {
  const auto error = [](const std::string& text) {
    const TempFile file(text);
    return SessionSigner::from_file(file.path()).error;
  };
  const std::string key = TestKey::ec().private_pem();
  std::string broken = TestKey::ec().private_pem();
  broken.replace(40, 8, "????????");
  EXPECT_THAT(error(key + broken), HasSubstr("cannot be read"));
  EXPECT_THAT(error(key + key.substr(0, key.size() / 2)), HasSubstr("cannot be read"));
  EXPECT_THAT(error(key + key), HasSubstr("twice"));
  std::string many = key;
  for (int i = 0; i < 3; ++i) many += TestKey::ec().private_pem();
  EXPECT_EQ(error(many), "");
  EXPECT_THAT(error(many + TestKey::ec().private_pem()), HasSubstr("more than 4"));
}

// RFC 7638 section 3.1 and RFC 8037 appendix A.3.
TEST(Thumbprint, AgreesWithTheRfcs) {
  const struct {
    const char* jwk;
    const char* print;
  } cases[] = {
      {R"({"kty":"RSA","alg":"RS256","kid":"2011-04-29","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZp)"
       R"(tN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4)"
       R"(n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQM)"
       R"(icAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu)"
       R"(0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"})",
       "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
      {R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}};
  for (const auto& one : cases) {
    const Key::Made made = key_from_jwk(*JsonObject::parse(one.jwk).object);
    ASSERT_NE(made.key, nullptr) << made.fault;
    EXPECT_EQ(thumbprint(*made.key), one.print);
  }
}

}  // namespace kg::auth::session_mint_test
