#include "auth/key_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/unit/auth/forge.h"

namespace kg::auth::key_set_test {

using forge::TempFile;
using forge::TestKey;
using testing::ElementsAre;
using testing::HasSubstr;

// RFC 7515 appendices A.2 and A.3, RFC 8037 appendix A.4.
constexpr std::string_view kRfcRsa =
    R"({"kty":"RSA","e":"AQAB","kid":"rsa","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTb)"
    R"(ji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwO)"
    R"(WvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WT)"
    R"(BEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9)"
    R"(_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})";
constexpr std::string_view kRfcEc =
    R"({"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view kRfcEd =
    R"({"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
constexpr std::string_view kRsaText =
    "eyJhbGciOiJSUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
constexpr std::string_view kRsaSignature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
    "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
    "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
constexpr std::string_view kEcText =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
constexpr std::string_view kEcSignature =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr std::string_view kEdText = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
constexpr std::string_view kEdSignature =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

std::string jwk_set(std::initializer_list<std::string_view> jwks) {
  std::string text = R"({"keys":[)";
  for (const std::string_view jwk : jwks) {
    if (text.back() == '}') text += ',';
    text += jwk;
  }
  return text + "]}";
}

// `jwk` with one more member.
std::string with(std::string_view jwk, std::string_view member) {
  std::string text(jwk);
  text.insert(1, std::string(member) + ',');
  return text;
}

std::string bytes(std::string_view base64url) { return *ascii::base64url_decode(base64url); }

std::string error_of(std::string_view text) {
  const KeySet::Loaded loaded = KeySet::from_text(text);
  EXPECT_EQ(loaded.keys, nullptr);
  EXPECT_NE(loaded.error, "");
  return loaded.error;
}

class RfcKeys : public testing::Test {
 protected:
  std::shared_ptr<const KeySet> keys_ = KeySet::from_text(jwk_set({kRfcRsa, kRfcEc, kRfcEd})).keys;
};

TEST_F(RfcKeys, VerifyTheSignaturesOfTheRfcs) {
  ASSERT_NE(keys_, nullptr);
  EXPECT_EQ(keys_->size(), 3U);
  EXPECT_THAT(keys_->algorithms(), ElementsAre(Algorithm::kRs256, Algorithm::kPs256,
                                               Algorithm::kEs256, Algorithm::kEdDsa));
  EXPECT_TRUE(keys_->verify("rsa", Algorithm::kRs256, kRsaText, bytes(kRsaSignature)));
  EXPECT_TRUE(keys_->verify("ec", Algorithm::kEs256, kEcText, bytes(kEcSignature)));
  EXPECT_TRUE(keys_->verify("ed", Algorithm::kEdDsa, kEdText, bytes(kEdSignature)));
}

TEST_F(RfcKeys, EveryChangedBitIsSeen) {
  const struct {
    const char* kid;
    Algorithm algorithm;
    std::string_view text;
    std::string_view signature;
  } vectors[] = {{"rsa", Algorithm::kRs256, kRsaText, kRsaSignature},
                 {"ec", Algorithm::kEs256, kEcText, kEcSignature},
                 {"ed", Algorithm::kEdDsa, kEdText, kEdSignature}};
  for (const auto& vector : vectors) {
    const std::string signature = bytes(vector.signature);
    for (size_t i = 0; i < signature.size(); i += 7) {
      std::string changed = signature;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      EXPECT_FALSE(keys_->verify(vector.kid, vector.algorithm, vector.text, changed)) << i;
    }
    EXPECT_FALSE(keys_->verify(vector.kid, vector.algorithm, "other text", signature));
    EXPECT_FALSE(keys_->verify(vector.kid, vector.algorithm, vector.text, ""));
    EXPECT_FALSE(keys_->verify(vector.kid, vector.algorithm, vector.text, signature + '\0'));
    EXPECT_FALSE(keys_->verify(vector.kid, vector.algorithm, vector.text,
                               signature.substr(0, signature.size() - 1)));
  }
}

TEST_F(RfcKeys, KidAndAlgorithmMustBothFit) {
  const std::string signature = bytes(kEcSignature);
  EXPECT_FALSE(keys_->verify("unknown", Algorithm::kEs256, kEcText, signature));
  EXPECT_FALSE(keys_->verify("rsa", Algorithm::kEs256, kEcText, signature));
  EXPECT_FALSE(keys_->verify("ec", Algorithm::kRs256, kEcText, signature));
  EXPECT_FALSE(keys_->verify("ec", Algorithm::kEdDsa, kEcText, signature));
  EXPECT_TRUE(keys_->verify("", Algorithm::kEs256, kEcText, signature)) << "any of that algorithm";
  EXPECT_FALSE(keys_->verify("", Algorithm::kEdDsa, kEcText, signature));
  EXPECT_TRUE(keys_->knows("ec", Algorithm::kEs256));
  EXPECT_FALSE(keys_->knows("ec", Algorithm::kEdDsa));
  EXPECT_FALSE(keys_->knows("unknown", Algorithm::kEs256));
}

TEST_F(RfcKeys, ZeroAndOverlargeEcSignaturesAreRefused) {
  const std::string good = bytes(kEcSignature);
  const std::string zero(32, '\0');
  EXPECT_FALSE(keys_->verify("ec", Algorithm::kEs256, kEcText, zero + zero));
  EXPECT_FALSE(keys_->verify("ec", Algorithm::kEs256, kEcText, good.substr(0, 32) + zero));
  EXPECT_FALSE(keys_->verify("ec", Algorithm::kEs256, kEcText, zero + good.substr(32)));
  EXPECT_FALSE(keys_->verify("ec", Algorithm::kEs256, kEcText, std::string(64, '\xff')));
  EXPECT_FALSE(keys_->verify("ed", Algorithm::kEdDsa, kEdText, zero + zero));
}

TEST_F(RfcKeys, FailuresLeaveNoOpenSslErrorForTheTlsOfThisThread) {
  ERR_clear_error();
  EXPECT_FALSE(keys_->verify("rsa", Algorithm::kRs256, kRsaText, std::string(256, 'x')));
  EXPECT_FALSE(keys_->verify("ec", Algorithm::kEs256, kEcText, std::string(64, '\xff')));
  error_of("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(KeySet, DerSignaturesAreNotJws) {
  const TestKey key = TestKey::ec();
  EXPECT_TRUE(key.set()->verify("", Algorithm::kEs256, "text", key.sign("text")));
  EXPECT_FALSE(key.set()->verify("", Algorithm::kEs256, "text", key.sign_plain("text")));
}

TEST(KeySet, PemKeysAnswerToAnyKid) {
  const TestKey ec = TestKey::ec();
  const TestKey rsa = TestKey::rsa();
  const TestKey ed = TestKey::ed25519();
  const KeySet::Loaded loaded = KeySet::from_text("a comment\n" + ec.public_pem() +
                                                  rsa.public_pem() + "\n" + ed.public_pem());
  ASSERT_NE(loaded.keys, nullptr) << loaded.error;
  EXPECT_EQ(loaded.keys->size(), 3U);
  EXPECT_TRUE(loaded.keys->verify("any", Algorithm::kEs256, "text", ec.sign("text")));
  EXPECT_TRUE(loaded.keys->verify("", Algorithm::kRs256, "text", rsa.sign("text")));
  EXPECT_TRUE(loaded.keys->verify("other", Algorithm::kEdDsa, "text", ed.sign("text")));
  EXPECT_FALSE(loaded.keys->verify("", Algorithm::kRs256, "text", ec.sign("text")));
}

TEST(KeySet, PrivatePemIsRefused) {
  EXPECT_THAT(error_of(TestKey::ec().private_pem()), HasSubstr("key 1 is private"));
  EXPECT_THAT(error_of(TestKey::ec().public_pem() + TestKey::rsa().private_pem()),
              HasSubstr("key 2 is private"));
  EXPECT_THAT(error_of("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
              HasSubstr("BEGIN PUBLIC KEY"));
  EXPECT_THAT(error_of("-----BEGIN PUBLIC KEY-----\nAAAA\n"), HasSubstr("not a valid key"));
}

TEST(KeySet, OtherKindsOfPemKeysAreRefused) {
  EXPECT_THAT(error_of(TestKey::ec("P-521").public_pem()), HasSubstr("another curve"));
  EXPECT_THAT(error_of(TestKey::ec("secp256k1").public_pem()), HasSubstr("another curve"));
  EXPECT_THAT(error_of(TestKey::rsa(1024).public_pem()), HasSubstr("less than 2048"));
  EXPECT_THAT(error_of(TestKey::ed448().public_pem()), HasSubstr("neither EC (P-256, P-384)"));
}

TEST(KeySet, PrivateAndSymmetricJwksAreRefused) {
  for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    const std::string member = '"' + std::string(name) + R"(":"AAAA")";
    EXPECT_THAT(error_of(jwk_set({with(kRfcRsa, member)})), HasSubstr("private or symmetric"));
  }
  EXPECT_THAT(error_of(jwk_set({kRfcEc, R"({"kty":"oct","kid":"s","k":"AAAA"})"})),
              HasSubstr(R"(key 2 (kid "s") holds a private or symmetric key)"));
}

TEST(KeySet, UsageThatDoesNotFitIsRefused) {
  EXPECT_EQ(KeySet::from_text(jwk_set({with(kRfcEc, R"("use":"sig","alg":"ES256")")})).error, "");
  EXPECT_EQ(KeySet::from_text(jwk_set({with(kRfcEc, R"("key_ops":["verify"])")})).error, "");
  EXPECT_THAT(error_of(jwk_set({with(kRfcEc, R"("use":"enc")")})), HasSubstr("use other than sig"));
  EXPECT_THAT(error_of(jwk_set({with(kRfcEc, R"("use":7)")})), HasSubstr("use other than sig"));
  EXPECT_THAT(error_of(jwk_set({with(kRfcEc, R"("key_ops":["sign"])")})), HasSubstr("key_ops"));
  for (const char* alg : {"RS256", "PS256", "ES384", "EdDSA"}) {
    EXPECT_THAT(error_of(jwk_set({with(kRfcEc, R"("alg":")" + std::string(alg) + '"')})),
                HasSubstr("does not fit"));
  }
  for (const char* alg : {"none", "HS256", "RSA-OAEP", "ES512", ""}) {
    EXPECT_THAT(error_of(jwk_set({with(kRfcEc, R"("alg":")" + std::string(alg) + '"')})),
                HasSubstr("has an alg other than"));
  }
  EXPECT_THAT(error_of(jwk_set({with(kRfcRsa, R"("alg":"ES256")")})), HasSubstr("does not fit"));
}

TEST(KeySet, AnRsaKeyServesWhatItsAlgSaysElseBoth) {
  const KeySet::Loaded both = KeySet::from_text(jwk_set({kRfcRsa}));
  ASSERT_NE(both.keys, nullptr) << both.error;
  EXPECT_TRUE(both.keys->knows("rsa", Algorithm::kRs256));
  EXPECT_TRUE(both.keys->knows("rsa", Algorithm::kPs256));
  const KeySet::Loaded pss = KeySet::from_text(jwk_set({with(kRfcRsa, R"("alg":"PS256")")}));
  ASSERT_NE(pss.keys, nullptr) << pss.error;
  EXPECT_THAT(pss.keys->algorithms(), ElementsAre(Algorithm::kPs256));
  EXPECT_FALSE(pss.keys->verify("rsa", Algorithm::kRs256, kRsaText, bytes(kRsaSignature)));
  const KeySet::Loaded pkcs1 = KeySet::from_text(jwk_set({with(kRfcRsa, R"("alg":"RS256")")}));
  ASSERT_NE(pkcs1.keys, nullptr) << pkcs1.error;
  EXPECT_THAT(pkcs1.keys->algorithms(), ElementsAre(Algorithm::kRs256));
  EXPECT_TRUE(pkcs1.keys->verify("rsa", Algorithm::kRs256, kRsaText, bytes(kRsaSignature)));
}

TEST(KeySet, Ps256HasASaltOfThirtyTwoBytes) {
  const TestKey key = TestKey::rsa();
  EXPECT_TRUE(key.set()->verify("", Algorithm::kPs256, "text", key.sign_pss("text")));
  for (const int salt_bytes : {0, 20, 31, 33, 64}) {
    EXPECT_FALSE(key.set()->verify("", Algorithm::kPs256, "text", key.sign_pss("text", salt_bytes)))
        << salt_bytes;
  }
  EXPECT_FALSE(key.set()->verify("", Algorithm::kPs256, "text", key.sign("text")));
  EXPECT_FALSE(key.set()->verify("", Algorithm::kRs256, "text", key.sign_pss("text")));
}

TEST(KeySet, P384KeysServeEs384Alone) {
  const TestKey key = TestKey::ec("P-384");
  EXPECT_THAT(key.set()->algorithms(), ElementsAre(Algorithm::kEs384));
  const std::string signature = key.sign("text");
  EXPECT_EQ(signature.size(), 96U);
  EXPECT_TRUE(key.set()->verify("", Algorithm::kEs384, "text", signature));
  EXPECT_FALSE(key.set()->verify("", Algorithm::kEs256, "text", signature));
  EXPECT_FALSE(key.set()->verify("", Algorithm::kEs384, "text", key.sign_plain("text")));
  EXPECT_FALSE(key.set()->verify("", Algorithm::kEs384, "text", std::string(96, '\0')));
  EXPECT_FALSE(key.set()->verify("", Algorithm::kEs384, "text", signature.substr(0, 64)));
}

TEST(KeySet, BrokenJwksAreRefused) {
  const char* const broken[] = {
      R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})",
      R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})",
      // A point of P-256 under the name of P-384.
      R"({"kty":"EC","crv":"P-384","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
      R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
      R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR"})",
      R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})",
      // Not on the curve.
      R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})",
      R"({"kty":"RSA","e":"AQAB","n":"AQAB"})",
      R"({"kty":"RSA","e":"AQAB"})",
      R"({"kty":["RSA"]})",
      R"({})",
  };
  for (const char* jwk : broken) EXPECT_THAT(error_of(jwk_set({jwk})), HasSubstr("key 1 is "));
  std::string even_exponent(kRfcRsa);
  even_exponent.replace(even_exponent.find("AQAB"), 4, "AQAA");
  EXPECT_THAT(error_of(jwk_set({even_exponent})), HasSubstr("exponent"));
  EXPECT_THAT(error_of(jwk_set({with(R"({"kty":"EC"})", R"("kid":7)")})), HasSubstr("kid"));
}

TEST(KeySet, BrokenSetsAreRefused) {
  EXPECT_THAT(error_of(""), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of("{"), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(error_of("{}"), HasSubstr("`keys`"));
  EXPECT_THAT(error_of(kRfcEc), HasSubstr("`keys`"));
  EXPECT_THAT(error_of(R"({"keys":[7]})"), HasSubstr("`keys`"));
  EXPECT_THAT(error_of(R"({"keys":[]})"), HasSubstr("no key"));
  EXPECT_THAT(error_of(R"({"keys":[],"keys":[]})"), HasSubstr("twice"));
  EXPECT_THAT(error_of(jwk_set({kRfcEc}) + "x"), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of(jwk_set({kRfcEc}) + std::string("\0x", 2)), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of(jwk_set({kRfcEc, kRfcEc})), HasSubstr("repeats a kid"));
  EXPECT_THAT(error_of(std::string(300'000, ' ')), HasSubstr("256 KiB"));
}

TEST(KeySet, SixtyFourKeysAtMost) {
  std::string jwks;
  for (int i = 0; i < 64; ++i) {
    std::string jwk(kRfcEd);
    jwk.replace(jwk.find(R"("ed")"), 4, '"' + std::to_string(i) + '"');
    jwks += (i > 0 ? "," : "") + jwk;
  }
  const KeySet::Loaded full = KeySet::from_text(jwk_set({jwks}));
  ASSERT_NE(full.keys, nullptr) << full.error;
  EXPECT_EQ(full.keys->size(), kKeysMax);
  EXPECT_THAT(error_of(jwk_set({jwks, kRfcEd})), HasSubstr("more than 64"));
  std::string pem;
  const std::string block = TestKey::ed25519().public_pem();
  for (int i = 0; i < 65; ++i) pem += block;
  EXPECT_THAT(error_of(pem), HasSubstr("more than 64"));
}

TEST(KeySet, FilesAreReadAndTheirErrorsNameThem) {
  const TempFile good(jwk_set({kRfcEc}));
  EXPECT_NE(KeySet::from_file(good.path()).keys, nullptr);
  const TempFile bad("{");
  EXPECT_EQ(KeySet::from_file(bad.path()).error, bad.path() + ": the JWK Set is not JSON");
  EXPECT_THAT(KeySet::from_file("/nonexistent/jwks.json").error,
              HasSubstr("/nonexistent/jwks.json: No such file"));
  EXPECT_THAT(KeySet::from_file("/").error, HasSubstr("Is a directory"));
}

TEST(Algorithms, NamesGoBothWays) {
  for (const Algorithm algorithm : kAlgorithms) {
    EXPECT_EQ(algorithm_named(algorithm_name(algorithm)), algorithm);
  }
  for (const char* name : {"", "none", "NONE", "HS256", "es256", "ES512", "PS384", "RS256 "}) {
    EXPECT_EQ(algorithm_named(name), std::nullopt) << name;
  }
}

}  // namespace kg::auth::key_set_test
