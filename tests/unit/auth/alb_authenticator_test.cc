#include "auth/alb_authenticator.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/unit/auth/forge.h"

namespace kg::auth::alb_authenticator_test {

using forge::TestKey;
using Kind = Verdict::Kind;
using Known = AlbKeySource::Known;

constexpr int64_t kNow = 1'800'000'000;
constexpr const char* kKid = "2e4b1f0c-6c5e-4a1b-9d6e-0123456789ab";
constexpr const char* kSigner = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/a/1";

// A map, and what the next learn() will put into it.
class Keys final : public AlbKeySource {
 public:
  Found find(const std::string& kid) const override {
    const auto known = keys_.find(kid);
    return known == keys_.end() ? Found() : known->second;
  }
  void learn(const std::string& kid, std::function<void()> done) override {
    learned.push_back(kid);
    keys_[kid] = next;
    done();
  }
  uint64_t generation() const noexcept override { return 7; }

  Found next;
  std::vector<std::string> learned;

 private:
  std::map<std::string, Found> keys_;
};

class AlbAuthenticatorTest : public testing::Test {
 protected:
  AlbAuthenticatorTest() : keys_(std::make_shared<Keys>()), link_(rules(), keys_) {}

  static AlbRules rules() {
    AlbRules rules;
    rules.realm = "alb";
    rules.signers = {kSigner};
    rules.client = "c";
    rules.issuer = "i";
    return rules;
  }
  static std::string padded(std::string_view bytes) {
    std::string text = ascii::base64url_encode(bytes);
    while (text.size() % 4 != 0) text += '=';
    return text;
  }
  std::string data(std::string_view signer = kSigner, std::string_view kid = kKid) const {
    const std::string text =
        padded(R"({"alg":"ES256","kid":")" + std::string(kid) + R"(","signer":")" +
               std::string(signer) + R"(","iss":"i","client":"c","exp":1800000120})") +
        '.' + padded(R"({"sub":"alice"})");
    return text + '.' + padded(key_.sign(text));
  }
  Verdict judge(const std::string& text, int64_t now = kNow) const {
    Evidence evidence;
    evidence.oidc_data = text;
    return link_.judge(evidence, now);
  }
  Verdict ask(const std::string& text) const {
    Evidence evidence;
    evidence.oidc_data = text;
    Verdict said;
    link_.ask(evidence, kNow, [&said](Verdict verdict) { said = std::move(verdict); });
    return said;
  }

  const TestKey key_ = TestKey::ec();
  std::shared_ptr<Keys> keys_;
  AlbAuthenticator link_;
};

TEST_F(AlbAuthenticatorTest, AKidIsLearntOnce) {
  keys_->next = {Known::kKey, key_.set()};
  const std::string text = data();
  EXPECT_EQ(judge(text).kind, Kind::kAsk);
  const Verdict answer = ask(text);
  ASSERT_EQ(answer.kind, Kind::kPrincipal) << answer.error.detail;
  EXPECT_EQ(answer.principal.subject, "alice");
  EXPECT_EQ(answer.principal.realm, "alb");
  EXPECT_EQ(keys_->learned, std::vector<std::string>{kKid});
  EXPECT_EQ(judge(text).kind, Kind::kPrincipal);
  EXPECT_EQ(link_.proof(), Proof::kLoadBalancer);
  EXPECT_EQ(link_.generation(), 7U);
}

TEST_F(AlbAuthenticatorTest, WithoutAKeyNobodyIsBelieved) {
  keys_->next = {Known::kNone, nullptr};
  EXPECT_EQ(ask(data()).error.code, ErrorCode::kUnauthorized);
  keys_->next = {Known::kAsk, nullptr};
  EXPECT_EQ(ask(data()).error.code, ErrorCode::kSessionUnknown) << "not the client's fault";
  keys_->next = {Known::kKey, TestKey::ec().set()};
  const Verdict forged = ask(data());
  EXPECT_EQ(forged.kind, Kind::kRefused);
  EXPECT_EQ(forged.error.code, ErrorCode::kUnauthorized);
}

TEST_F(AlbAuthenticatorTest, StrangersNeverLeadToAFetch) {
  for (const std::string& text : {data("arn:aws:elasticloadbalancing:r:2:loadbalancer/app/a/1"),
                                  data(kSigner, "../../evil"), std::string("x")}) {
    EXPECT_EQ(judge(text).kind, Kind::kNotMine);
  }
  EXPECT_EQ(judge(data(), 1'800'000'120).kind, Kind::kRefused) << "over";
  EXPECT_TRUE(keys_->learned.empty());
}

}  // namespace kg::auth::alb_authenticator_test
