#include "proxy/base/crypto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "proxy/base/ascii.h"

namespace kg::crypto::crypto_test {

template <class Digest>
std::string hex(const Digest& digest) {
  std::string out;
  for (const unsigned char byte : digest) {
    char text[3];
    std::snprintf(text, sizeof(text), "%02x", byte);
    out += text;
  }
  return out;
}

TEST(Crypto, Sha256MatchesTheStandard) {  // FIPS 180-4 examples
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Crypto, HmacMatchesTheStandard) {  // RFC 4231 section 4
  EXPECT_EQ(hex(Hmac(std::string(20, '\x0b')).of("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(Hmac("Jefe").of("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(Hmac(std::string(20, '\xaa')).of(std::string(50, '\xdd'))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

TEST(Crypto, HmacTakesKeysOfAWholeBlock) {  // openssl dgst -sha256 -mac HMAC
  EXPECT_EQ(hex(Hmac(std::string(64, 'k')).of("")),
            "83026a325aaee70e36cfe607536aa1054104ad1077c36134810d4ccded1ccd3b");
}

TEST(Crypto, Sha1GivesTheWebSocketAccept) {  // RFC 6455 section 1.3
  const Sha1 digest = sha1("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  EXPECT_EQ(ascii::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()}),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Crypto, HashesDoNotDisturbEachOther) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_EQ(hex(sha256("abc")).substr(0, 8), "ba7816bf");
  }
}

TEST(Crypto, HashesOnEveryThread) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int turn = 0; turn < 1000; ++turn) {
        ASSERT_EQ(sha256("abc")[0], 0xba);
        ASSERT_EQ(sha1("abc")[0], 0xa9);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Crypto, RandomTextHasItsForm) {
  // POSIX patterns: with the sanitizers GCC 12 sees uninitialised values inside std::regex.
  EXPECT_THAT(random_hex(12), testing::MatchesRegex("[0-9a-f]{24}"));
  EXPECT_EQ(random_hex(0), "");
  constexpr char uuid[] = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string id = random_uuid();
    EXPECT_THAT(id, testing::MatchesRegex(uuid));
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(Crypto, UniqueTextIsUniqueOnAllThreads) {
  constexpr size_t kThreads = 4;
  constexpr size_t kEach = 1'000;  // stocks of 85
  std::array<std::vector<std::string>, kThreads> made;
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (size_t i = 0; i < kEach; ++i) mine.push_back(unique_hex(12));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> seen;
  for (const auto& ids : made) seen.insert(ids.begin(), ids.end());
  EXPECT_EQ(seen.size(), kThreads * kEach);
  EXPECT_THAT(seen, testing::Each(testing::MatchesRegex("[0-9a-f]{24}")));
}

TEST(Crypto, ComparesInConstantTime) {
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_TRUE(equal_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_constant_time("secret", "secre"));
}

}  // namespace kg::crypto::crypto_test
