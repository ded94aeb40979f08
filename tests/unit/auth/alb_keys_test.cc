#include "auth/alb_keys.h"

#include "tests/unit/auth/forge.h"
#include "tests/unit/auth/source_fixture.h"

namespace kg::auth::alb_keys_test {

constexpr const char* kKid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

class AlbKeysTest : public SourceTest {
 protected:
  AlbKeysOptions options() const {
    return {{true, "127.0.0.1", issuer.port(), "/keys"}, trust(own)};
  }
  void learn(AlbKeys& keys, const std::string& kid) {
    wait_until_done([&](std::function<void()> done) { keys.learn(kid, std::move(done)); });
  }
};

TEST_F(AlbKeysTest, AKidIsAUuidAndNothingElse) {
  EXPECT_TRUE(is_alb_kid(kKid));
  for (const std::string bad :
       {"", "../../evil", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f",
        "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1g0",
        "0f1e2d3c04b5a06978087960a5b4c3d2e1f0", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f/",
        "-f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}) {
    EXPECT_FALSE(is_alb_kid(bad)) << bad;
  }
}

TEST_F(AlbKeysTest, AKeyIsFetchedOnceAndKept) {
  say("200 OK", forge::TestKey::ec().public_pem());
  AlbKeys keys(fetcher, options());
  EXPECT_EQ(keys.find(kKid).known, AlbKeys::Known::kAsk);
  learn(keys, kKid);
  const AlbKeys::Found found = keys.find(kKid);
  ASSERT_EQ(found.known, AlbKeys::Known::kKey);
  EXPECT_TRUE(found.key->knows(kKid, Algorithm::kEs256));
  EXPECT_TRUE(
      issuer.requests().at(0).starts_with(std::string("GET /keys/") + kKid + " HTTP/1.1\r\n"));
  tick(keys);
  EXPECT_EQ(asked(), 1);
}

TEST_F(AlbKeysTest, AKidWithoutAKeyIsNotAskedForAgain) {
  for (const std::string status : {"404 Not Found", "403 Forbidden"}) {
    say(status, "");
    AlbKeys keys(fetcher, options());
    learn(keys, kKid);
    EXPECT_EQ(keys.find(kKid).known, AlbKeys::Known::kNone) << status;
  }
}

TEST_F(AlbKeysTest, AServiceThatFailsProvesNothing) {
  AlbKeys keys(fetcher, options());
  for (const auto& [status, body] : std::vector<std::pair<std::string, std::string>>{
           {"500 Internal Server Error", ""},
           {"200 OK", "no key"},
           {"200 OK", forge::TestKey::ec().private_pem()},
           {"200 OK", forge::TestKey::ec().public_pem() + forge::TestKey::ec().public_pem()},
           {"302 Found", forge::TestKey::ec().public_pem()}}) {
    say(status, body);
    learn(keys, kKid);
    EXPECT_EQ(keys.find(kKid).known, AlbKeys::Known::kAsk) << status << body.substr(0, 40);
  }
}

TEST_F(AlbKeysTest, ManyKidsAreFetchedAFewAtATime) {
  AlbKeys keys(fetcher, options());
  std::atomic<int> done{0};
  std::string kid = kKid;
  for (int i = 0; i < 1'000; ++i) {
    kid.replace(0, 4, std::to_string(1'000 + i));
    keys.learn(kid, [&done] { ++done; });
  }
  while (done < 1'000) std::this_thread::yield();
  EXPECT_LE(asked(), 100);
}

TEST_F(AlbKeysTest, WhatIsKeptIsBounded) {
  say("404 Not Found", "");
  AlbKeys keys(fetcher, options());
  std::string kid = kKid;
  for (size_t i = 0; i <= limits::kAlbUnknownMax; ++i) {
    kid.replace(0, 4, std::to_string(1'000 + i));
    learn(keys, kid);
  }
  kid.replace(0, 4, "1000");
  EXPECT_EQ(keys.find(kid).known, AlbKeys::Known::kAsk) << "the oldest went";
  kid.replace(0, 4, "1001");
  EXPECT_EQ(keys.find(kid).known, AlbKeys::Known::kNone);
}

}  // namespace kg::auth::alb_keys_test
