// The example tokens of the RFCs, judged as those texts say: signatures of the algorithms that we
// have verify, all others are refused, and none of them is a session of ours.
#include <gtest/gtest.h>

#include "auth/jwt.h"
#include "auth/jwt_authenticator.h"
#include "proxy/base/ascii.h"
#include "tests/unit/auth/door.h"

namespace kg::auth::rfc_examples_test {

constexpr std::string_view kA2Key =
    R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPdd)"
    R"(xHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soM)"
    R"(Zo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTB)"
    R"(QY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD)"
    R"(TW9gb54h4FRWyuXpoQ"})";
constexpr std::string_view kA3Key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view kA4Key =
    R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_Nj)"
    R"(FZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WD)"
    R"(hjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})";
constexpr std::string_view kBilboRsa =
    R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","e":"AQAB","n":"n4EPtAOCc9)"
    R"(AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMR)"
    R"(BSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd)"
    R"(1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwu)"
    R"(CLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"})";
constexpr std::string_view kEdKey =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

constexpr std::string_view kJoe =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";
constexpr int64_t kJoeExpires = 1'300'819'380;
constexpr std::string_view kFrodo =
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250"
    "byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hl"
    "cmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

struct Example {
  const char* source;
  std::string token;
  std::string_view key;
  bool verifies;
};

std::string compact(std::string_view header, std::string_view payload, std::string_view signature) {
  std::string token(header);
  token += '.';
  token += payload;
  token += '.';
  token += signature;
  return token;
}

std::vector<Example> examples() {
  return {
      {"RFC 7515 A.1 (HS256)",
       compact("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", kJoe,
               "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
       "", false},
      {"RFC 7515 A.2 (RS256)",
       compact("eyJhbGciOiJSUzI1NiJ9", kJoe,
               "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YK"
               "t_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBA"
               "rLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI"
               "7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypG"
               "lUPQGe77Rw"),
       kA2Key, true},
      {"RFC 7515 A.3 (ES256)",
       compact("eyJhbGciOiJFUzI1NiJ9", kJoe,
               "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6N"
               "U1Q"),
       kA3Key, true},
      {"RFC 7515 A.4 (ES512)",
       "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA."
       "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7Xd"
       "tAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_"
       "Jn",
       kA4Key, false},
      {"RFC 7515 A.5 (unsecured)", compact("eyJhbGciOiJub25lIn0", kJoe, ""), "", false},
      {"RFC 7520 4.1 (RS256)",
       compact("eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9", kFrodo,
               "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996"
               "ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt"
               "1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPx"
               "UAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU"
               "5y18kDquDg"),
       kBilboRsa, true},
      {"RFC 7520 4.2 (PS384)",
       compact("eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9", kFrodo,
               "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDq"
               "HCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgV"
               "Fn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0"
               "qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8"
               "DYM-X72Eaw"),
       kBilboRsa, false},
      {"RFC 7520 4.4 (HS256)",
       compact("eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9",
               kFrodo, "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"),
       "", false},
      {"RFC 8037 A.4 (EdDSA)",
       compact("eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
               "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0"
               "KAg"),
       kEdKey, true},
  };
}

KeySet::Loaded key_set(std::string_view jwk) {
  return KeySet::from_text(R"({"keys":[)" + std::string(jwk) + "]}");
}

TEST(RfcExamples, SignaturesOfOurAlgorithmsVerifyAndNoOthers) {
  for (const Example& example : examples()) {
    const Result<Jwt> jwt = split_jwt(example.token);
    EXPECT_EQ(jwt.has_value(), example.verifies) << example.source;
    if (!jwt) continue;
    const KeySet::Loaded loaded = key_set(example.key);
    ASSERT_NE(loaded.keys, nullptr) << example.source << loaded.error;
    EXPECT_TRUE(loaded.keys->verify(jwt->kid, jwt->algorithm, jwt->signed_bytes, jwt->signature))
        << example.source;
  }
}

TEST(RfcExamples, KeysOfOtherCurvesAreRefused) { EXPECT_EQ(key_set(kA4Key).keys, nullptr); }

TEST(RfcExamples, JoesTokensEndWhenTheySay) {
  // Without aud they are no session, whenever it is (RFC 8725 section 3.9).
  const JwtAuthenticator strict({"joe", "joe", "kernelgate", {}, {}}, fixed(key_set(kA3Key).keys));
  Evidence evidence;
  const std::string token = examples()[2].token;
  evidence.token = token;
  const Verdict verdict = strict.judge(evidence, kJoeExpires - 1);
  EXPECT_EQ(verdict.kind, Verdict::Kind::kNotMine);
  EXPECT_STREQ(verdict.error.detail, "token aud differs");
}

}  // namespace kg::auth::rfc_examples_test
