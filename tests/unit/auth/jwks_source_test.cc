#include "auth/jwks_source.h"

#include "auth/sources.h"
#include "tests/unit/auth/source_fixture.h"

namespace kg::auth::jwks_source_test {

class JwksSourceTest : public SourceTest {
 protected:
  JwksOptions options(uint32_t stale_s = 3'600) const {
    return {{true, "127.0.0.1", issuer.port(), "/jwks"}, trust(own), 0, stale_s};
  }
  void learn(JwksSource& source) {
    wait_until_done([&](std::function<void()> done) { source.learn(std::move(done)); });
  }
};

TEST_F(JwksSourceTest, KeysComeAndAreKnown) {
  say("200 OK", jwk_set({new_jwk("a"), new_jwk("b")}));
  JwksSource source(fetcher, options());
  EXPECT_EQ(source.keys(), nullptr);
  EXPECT_EQ(source.age_s(), -1);
  learn(source);
  ASSERT_NE(source.keys(), nullptr);
  EXPECT_EQ(source.keys()->size(), 2U);
  EXPECT_TRUE(source.keys()->knows("a", Algorithm::kEs256));
  EXPECT_TRUE(source.is_current());
  EXPECT_EQ(source.age_s(), 0);
}

TEST_F(JwksSourceTest, AnIssuerThatIsDownLeavesNoKeysAndIsAskedAgain) {
  JwksSource source(fetcher, options());
  learn(source);
  EXPECT_EQ(source.keys(), nullptr);
  EXPECT_FALSE(source.is_current());
  EXPECT_FALSE(source.may_learn());
  say("200 OK", jwk_set({new_jwk("a")}));
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (source.keys() == nullptr && std::chrono::steady_clock::now() < give_up) tick(source);
  EXPECT_NE(source.keys(), nullptr);
}

TEST_F(JwksSourceTest, TheLastGoodKeysServeOn) {
  const std::string good = jwk_set({new_jwk("a")});
  say("200 OK", good);
  JwksOptions often = options();
  often.refresh_s = 1;
  JwksSource source(fetcher, often);
  learn(source);
  const uint64_t generation = source.generation();
  for (const auto& [status, body] : std::vector<std::pair<std::string, std::string>>{
           {"500 Internal Server Error", ""},
           {"302 Found", good},
           {"200 OK", "<html>"},
           {"200 OK", R"({"keys":[{"kty":"oct","k":"AA"}]})"},
           {"200 OK", std::string(300 * 1'024, ' ')}}) {
    say(status, body);
    const int before = asked();
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while ((asked() == before || source.is_current()) &&
           std::chrono::steady_clock::now() < give_up) {
      tick(source);
    }
    EXPECT_FALSE(source.is_current()) << status << body.substr(0, 40);
    ASSERT_NE(source.keys(), nullptr);
    EXPECT_TRUE(source.keys()->knows("a", Algorithm::kEs256));
    EXPECT_EQ(source.generation(), generation);
    say("200 OK", good);
    while (!source.is_current() && std::chrono::steady_clock::now() < give_up) tick(source);
    EXPECT_TRUE(source.is_current());
  }
}

TEST_F(JwksSourceTest, AWithdrawnKeyChangesTheGenerationAndANewOneDoesNot) {
  const std::string a = new_jwk("a");
  const std::string b = new_jwk("b");
  JwksOptions often = options();
  often.refresh_s = 1;
  say("200 OK", jwk_set({a}));
  JwksSource source(fetcher, often);
  learn(source);
  const uint64_t first = source.generation();
  const auto refresh = [&](const std::vector<std::string>& keys, size_t size) {
    say("200 OK", jwk_set(keys));
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const auto old = source.keys();
    while (source.keys() == old && std::chrono::steady_clock::now() < give_up) tick(source);
    EXPECT_EQ(source.keys()->size(), size);
  };
  refresh({a, b}, 2);
  EXPECT_EQ(source.generation(), first);
  refresh({b}, 1);
  const uint64_t second = source.generation();
  EXPECT_NE(second, first);
  refresh({new_jwk("b")}, 1);  // the same kid, another key
  const uint64_t third = source.generation();
  EXPECT_NE(third, second);
  refresh({}, 0);  // all withdrawn
  EXPECT_NE(source.generation(), third);
}

TEST_F(JwksSourceTest, KeysThatAreTooOldAreNotBelieved) {
  say("200 OK", jwk_set({new_jwk("a")}));
  JwksSource source(fetcher, options(1));
  learn(source);
  const uint64_t generation = source.generation();
  say("500 Internal Server Error", "");
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (source.keys() != nullptr && std::chrono::steady_clock::now() < give_up) tick(source);
  EXPECT_EQ(source.keys(), nullptr);
  EXPECT_EQ(source.age_s(), -1);
  EXPECT_NE(source.generation(), generation);
}

TEST_F(JwksSourceTest, AThousandUnknownKidsAreOneFetch) {
  say("200 OK", jwk_set({new_jwk("a")}));
  JwksSource source(fetcher, options());
  std::atomic<int> done{0};
  for (int i = 0; i < 1'000; ++i) source.learn([&done] { ++done; });
  learn(source);
  EXPECT_EQ(done, 1'000);
  EXPECT_EQ(asked(), 1);
  EXPECT_FALSE(source.may_learn());
}

TEST_F(JwksSourceTest, KeysThatAreNotForUsAreLeftOut) {
  say("200 OK", jwk_set({R"({"kty":"RSA","use":"enc","kid":"e","n":"AQAB","e":"AQAB"})",
                         R"({"kty":"lattice","kid":"l"})", new_jwk("a")}));
  JwksSource source(fetcher, options());
  learn(source);
  ASSERT_NE(source.keys(), nullptr);
  EXPECT_EQ(source.keys()->size(), 1U);
}

TEST_F(JwksSourceTest, ASourceMayEndWhileItIsAsked) {
  auto source = std::make_unique<JwksSource>(fetcher, options());
  std::atomic<bool> done{false};
  source->learn([&done] { done = true; });
  source.reset();
  fetcher.stop();
  EXPECT_TRUE(done);
}

TEST_F(JwksSourceTest, AReloadFindsTheSameSourceAndAChangeMakesAnother) {
  Sources sources(fetcher);
  const auto first = sources.jwks(options());
  EXPECT_EQ(sources.jwks(options()), first);
  JwksOptions other_ca = options();
  other_ca.trust = nullptr;
  EXPECT_NE(sources.jwks(other_ca), first);
  JwksOptions other_url = options();
  other_url.url.target = "/other";
  EXPECT_NE(sources.jwks(other_url), first);
  EXPECT_NE(sources.jwks(options(1)), first);
  fetcher.stop();
}

TEST_F(JwksSourceTest, ASourceIsFetchedWithoutBeingAsked) {
  say("200 OK", jwk_set({new_jwk("a")}));
  fetcher.stop();
  fetch::Fetcher network;
  Sources sources(network);
  network.start();
  const auto source = sources.jwks(options());
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (source->keys() == nullptr && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::yield();
  }
  EXPECT_NE(source->keys(), nullptr);
  EXPECT_EQ(sources.oldest_keys_s(), 0);
  network.stop();
}

}  // namespace kg::auth::jwks_source_test
