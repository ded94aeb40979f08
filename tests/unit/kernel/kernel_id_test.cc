#include "proxy/kernel/kernel_id.h"

#include <gtest/gtest.h>

#include <set>

#include "proxy/base/ascii.h"
#include "proxy/kernel/operation.h"

namespace kg::kernel::kernel_id_test {

using Verdict = KernelClaim::Verdict;
using Keys = std::shared_ptr<const KernelIdKeys>;

constexpr std::string_view kEndpoint = "abc123xyz456";

std::string secret(char fill, size_t size = 32) {
  return ascii::base64_encode(std::string(size, fill));
}

std::string line(int epoch, const std::string& state, char fill) {
  return std::to_string(epoch) + " " + state + " " + secret(fill) + "\n";
}

Keys keys_of(const std::string& text) {
  std::string error;
  Keys keys = KernelIdKeys::parse(text, error);
  EXPECT_NE(keys, nullptr) << error;
  return keys;
}

std::string fault_of(const std::string& text) {
  std::string error;
  EXPECT_EQ(KernelIdKeys::parse(text, error), nullptr) << text;
  return error;
}

Scope user(std::string_view realm, std::string_view subject) {
  return {Scope::Kind::kUser, realm, subject};
}
Scope group(std::string_view name) { return {Scope::Kind::kGroup, "", name}; }
const Scope kWhole{Scope::Kind::kEndpoint, "", ""};

class KernelIds : public testing::Test {
 protected:
  std::string mint(const Scope& scope, std::string_view endpoint = kEndpoint) {
    return keys_->mint(endpoint, scope, pod_tag_of("jeg-0"), random_nonce());
  }
  Verdict judge(const std::string& id, const std::vector<Scope>& scopes,
                std::string_view endpoint = kEndpoint) {
    return KernelClaim(endpoint, scopes).judge(*keys_, id);
  }
  Keys keys_ = keys_of(line(3, "current", 'a'));
};

TEST(KernelIdText, HoldsEveryFieldInItsPlace) {
  const KernelId id{5, 0xabcdef, 0x7654'3210, 0x89ab'cdef, 0x0123'4567};
  const std::string text = format_kernel_id(id);
  //                                   epoch 5 = 101, pod tag, nonce, owner tag, mint tag
  EXPECT_EQ(text, "b579bdfd-950c-4842-89ab-cdef01234567");
  EXPECT_EQ(parse_kernel_id(text), id);
}

TEST(KernelIdText, SurvivesTheWayThereAndBack) {
  for (uint32_t bit = 0; bit < 32; ++bit) {
    const uint32_t one = 1U << bit;
    for (const KernelId& id :
         {KernelId{static_cast<uint8_t>(one & 7U), 0, 0, 0, 0},
          KernelId{0, one & 0xff'ffffU, 0, 0, 0}, KernelId{0, 0, one & 0x7fff'ffffU, 0, 0},
          KernelId{0, 0, 0, one, 0}, KernelId{0, 0, 0, 0, one}}) {
      EXPECT_EQ(parse_kernel_id(format_kernel_id(id)), id) << format_kernel_id(id);
    }
  }
}

TEST(KernelIdText, IsALowerCaseUuidOfVersion4) {
  const std::string good = "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f";
  EXPECT_TRUE(parse_kernel_id(good).has_value());
  EXPECT_EQ(format_kernel_id(*parse_kernel_id(good)), good);
  for (const std::string_view bad :
       {"", "6BB19C3B-26F6-4B4D-BFC9-BE831A9E648F", "6bb19c3b-26f6-1b4d-bfc9-be831a9e648f",
        "6bb19c3b-26f6-4b4d-cfc9-be831a9e648f", "6bb19c3b-26f6-4b4d-7fc9-be831a9e648f",
        "6bb19c3b26f64b4dbfc9be831a9e648f", "6bb19c3b-26f6-4b4d-bfc9-be831a9e648",
        "6bb19c3b-26f6-4b4d-bfc9-be831a9e648f0", "6bb19c3b-26f6-4b4d-bfc9_be831a9e648f",
        "gbb19c3b-26f6-4b4d-bfc9-be831a9e648f", "{6bb19c3b-26f6-4b4d-bfc9-be831a9e64}"}) {
    EXPECT_FALSE(parse_kernel_id(bad).has_value()) << bad;
  }
}

TEST_F(KernelIds, AreIdsThatGatewaysTake) {
  const std::string id = mint(user("studio", "alice"));
  EXPECT_TRUE(is_kernel_id(id));
  ASSERT_TRUE(parse_kernel_id(id).has_value());
  EXPECT_EQ(parse_kernel_id(id)->epoch, 3);
  EXPECT_EQ(parse_kernel_id(id)->pod_tag, pod_tag_of("jeg-0"));
}

TEST_F(KernelIds, BelongToWhomTheyWereMintedFor) {
  EXPECT_EQ(judge(mint(user("studio", "alice")), {user("studio", "alice")}), Verdict::kOwn);
  EXPECT_EQ(judge(mint(group("analytics")), {group("analytics")}), Verdict::kOwn);
  EXPECT_EQ(judge(mint(kWhole), {kWhole}), Verdict::kOwn);
  const std::vector<Scope> all{user("studio", "alice"), kWhole, group("a"), group("analytics")};
  EXPECT_EQ(judge(mint(group("analytics")), all), Verdict::kOwn);
}

// Every pair of different scopes, written so that a careless encoding would make some of them
// equal.
TEST_F(KernelIds, OfDifferentScopesAreNeverShared) {
  const std::vector<Scope> scopes{user("studio", "alice"),
                                  user("studio", "bob"),
                                  user("other", "alice"),
                                  user("studioa", "lice"),
                                  user("", "studioalice"),
                                  user("studioalice", ""),
                                  group("alice"),
                                  group("studioalice"),
                                  {Scope::Kind::kGroup, "studio", "alice"},
                                  user("", ""),
                                  group(""),
                                  kWhole,
                                  user("studio|alice", ""),
                                  user("studio", "alice\n"),
                                  user("", "alice")};
  for (const Scope& owner : scopes) {
    const std::string id = mint(owner);
    for (const Scope& caller : scopes) {
      EXPECT_EQ(judge(id, {caller}), &owner == &caller ? Verdict::kOwn : Verdict::kOthers)
          << owner.realm << '|' << owner.name << " and " << caller.realm << '|' << caller.name;
    }
    EXPECT_EQ(judge(id, {}), Verdict::kOthers);
  }
}

TEST_F(KernelIds, OfAnotherEndpointAreForeign) {
  const std::string id = mint(user("studio", "alice"), "other");
  EXPECT_EQ(judge(id, {user("studio", "alice")}), Verdict::kForeign);
  EXPECT_EQ(judge(id, {user("studio", "alice")}, "other"), Verdict::kOwn);
}

TEST_F(KernelIds, OfGatewaysAreForeign) {
  for (const std::string_view id : {"6bb19c3b-26f6-4b4d-bfc9-be831a9e648f", "a-b-c-d-e", ""}) {
    EXPECT_EQ(judge(std::string(id), {user("studio", "alice"), kWhole}), Verdict::kForeign);
  }
}

TEST_F(KernelIds, WithOneBitChangedAreNotTheCallers) {
  const std::string good = mint(user("studio", "alice"));
  int foreign = 0;
  for (size_t i = 0; i < good.size(); ++i) {
    for (const char digit : std::string_view("0123456789abcdef")) {
      std::string bad = good;
      if (bad[i] == '-' || bad[i] == digit) continue;
      bad[i] = digit;
      const Verdict verdict = judge(bad, {user("studio", "alice")});
      EXPECT_NE(verdict, Verdict::kOwn) << bad;
      foreign += verdict == Verdict::kForeign ? 1 : 0;
    }
  }
  EXPECT_EQ(foreign, 32 * 15);
}

// Else foreign_ids: endpoint would hand it to everybody.
TEST_F(KernelIds, InUpperCaseAreNobodys) {
  const std::string id = mint(user("studio", "alice"));
  std::string upper = id;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  ASSERT_NE(upper, id);
  EXPECT_EQ(judge(upper, {user("studio", "alice")}), Verdict::kOthers);
}

TEST_F(KernelIds, AreTriedWithSixteenScopesAtMost) {
  std::vector<Scope> scopes(16, group("no"));
  scopes[15] = group("yes");
  EXPECT_EQ(judge(mint(group("yes")), scopes), Verdict::kOwn);
  scopes.insert(scopes.begin(), group("no"));
  EXPECT_EQ(judge(mint(group("yes")), scopes), Verdict::kOthers);
}

TEST_F(KernelIds, DifferWithTheirNonce) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(mint(user("studio", "alice")));
  EXPECT_EQ(ids.size(), 1000u);
}

TEST_F(KernelIds, RepeatForTheSameClientIdOfTheSamePerson) {
  const Scope alice = user("studio", "alice");
  const uint32_t nonce = keys_->nonce_of(kEndpoint, alice, "mine");
  EXPECT_EQ(nonce, keys_->nonce_of(kEndpoint, alice, "mine"));
  EXPECT_NE(nonce, keys_->nonce_of(kEndpoint, alice, "other"));
  EXPECT_NE(nonce, keys_->nonce_of(kEndpoint, user("studio", "bob"), "mine"));
  EXPECT_NE(nonce, keys_->nonce_of(kEndpoint, user("other", "alice"), "mine"));
  EXPECT_NE(nonce, keys_->nonce_of("other", alice, "mine"));
  EXPECT_EQ(keys_->mint(kEndpoint, alice, 7, nonce), keys_->mint(kEndpoint, alice, 7, nonce));
}

TEST_F(KernelIds, OutliveARotationOfKeys) {
  const Scope alice = user("studio", "alice");
  const std::string old = mint(alice);
  const Keys both = keys_of(line(3, "previous", 'a') + line(4, "current", 'b'));
  EXPECT_EQ(KernelClaim(kEndpoint, {alice}).judge(*both, old), Verdict::kOwn);
  const std::string fresh = both->mint(kEndpoint, alice, 1, random_nonce());
  EXPECT_EQ(parse_kernel_id(fresh)->epoch, 4);
  // A replica that was told of the next key before knows what others mint with it.
  const Keys early = keys_of(line(3, "current", 'a') + line(4, "next", 'b'));
  EXPECT_EQ(KernelClaim(kEndpoint, {alice}).judge(*early, fresh), Verdict::kOwn);
  EXPECT_EQ(parse_kernel_id(early->mint(kEndpoint, alice, 1, 1))->epoch, 3);
  const Keys late = keys_of(line(4, "current", 'b'));
  EXPECT_EQ(KernelClaim(kEndpoint, {alice}).judge(*late, old), Verdict::kForeign);
}

TEST_F(KernelIds, OfAnotherKeyWithTheSameEpochAreForeign) {
  const Keys other = keys_of(line(3, "current", 'b'));
  const Scope alice = user("studio", "alice");
  EXPECT_EQ(KernelClaim(kEndpoint, {alice}).judge(*other, mint(alice)), Verdict::kForeign);
}

TEST(KernelIdKeyFile, TakesCommentsEmptyLinesAndAnySpacing) {
  const Keys keys = keys_of("# made in May\r\n\n  0\tprevious   " + secret('a') + "\r\n" +
                            line(1, "current", 'b') + "2 next " + secret('c', 64));
  EXPECT_TRUE(keys->same_keys(
      *keys_of(line(0, "previous", 'a') + line(1, "current", 'b') + "2 next " + secret('c', 64))));
  EXPECT_FALSE(keys->same_keys(*keys_of(line(1, "current", 'b'))));
  EXPECT_FALSE(keys->same_keys(
      *keys_of(line(0, "current", 'a') + line(1, "previous", 'b') + "2 next " + secret('c', 64))));
}

TEST(KernelIdKeyFile, SaysWhatIsWrongAndNothingOfTheKeys) {
  EXPECT_EQ(fault_of(""), "holds no current key");
  EXPECT_EQ(fault_of(line(1, "next", 'a')), "holds no current key");
  EXPECT_EQ(fault_of(line(1, "current", 'a') + line(2, "current", 'b')),
            "line 2 is a second current key");
  EXPECT_EQ(fault_of(line(1, "current", 'a') + line(1, "next", 'b')),
            "line 2 has the epoch of an earlier line");
  EXPECT_EQ(fault_of(line(1, "current", 'a') + line(2, "next", 'a')),
            "line 2 has the secret of another line");
  EXPECT_EQ(fault_of(line(8, "current", 'a')), "line 1 does not begin with 0 to 7");
  EXPECT_EQ(fault_of("\n" + line(10, "current", 'a')), "line 2 does not begin with 0 to 7");
  EXPECT_EQ(fault_of(line(1, "Current", 'a')), "line 1 does not say next, current or previous");
  for (const std::string& bad : {std::string(), secret('a', 31), secret('a', 65),
                                 std::string("not*base64"), secret('a') + "!"}) {
    EXPECT_EQ(fault_of("1 current " + bad), "line 1 does not hold 32 to 64 bytes in base64");
  }
  EXPECT_EQ(fault_of("1 current " + secret('a') + " more"), "line 1 holds more than three words");
}

TEST(KernelIdKeyFile, ThatIsMadeHoldsANewKey) {
  const std::string text = KernelIdKeys::new_file_text();
  EXPECT_FALSE(keys_of(text)->same_keys(*keys_of(KernelIdKeys::new_file_text())));
  EXPECT_TRUE(keys_of(text)->same_keys(*keys_of(text)));
}

}  // namespace kg::kernel::kernel_id_test
