#include "routing/feed/disk_copy.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "routing/feed/seal.h"
#include "tests/unit/feed/feed_fixture.h"

namespace kg::feed::disk_copy_test {

using testing::HasSubstr;

class DiskCopy : public FeedTest {
 protected:
  DiskCopy() {
    Content content{kSchema, std::nullopt, {1, 7}, {}, {set("a", "secret payload"), set("b", "2")}};
    for (int i = 0; i < 3; ++i) {
      content.changes.push_back(set("c" + std::to_string(i), std::string(130'000, 'c')));
    }
    StateDigest digest;
    for (const Change& change : content.changes) digest.add(ItemMark(*change.item));
    content.digest = digest.value();
    EXPECT_EQ(save_copy(file, secret, content), "");
    std::ostringstream out;
    out << std::ifstream(file, std::ios::binary).rdbuf();
    text = out.str();
  }
  std::string problem_of(std::string_view copy, const Secret& key) {
    HeldState state;
    std::string problem;
    const Copy read = read_copy(copy, key, kSchema, kSchema, state, problem);
    EXPECT_EQ(read == Copy::kLoaded, problem.empty());
    EXPECT_EQ(state.items(), 0U);
    return problem;
  }
  TestFolder folder;
  const std::string file = folder.path("copy");
  const Secret secret = proxy_keys.secret_key;
  std::string text;
};

TEST_F(DiskCopy, IsReadByItsOwnKeyAndTellsNothingWithoutIt) {
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_THAT(text, testing::Not(HasSubstr("secret payload")));
  HeldState state;
  std::string problem;
  ASSERT_EQ(load_copy(file, secret, kSchema, kSchema, state, problem), Copy::kLoaded) << problem;
  state.accept();
  EXPECT_EQ(state.version(), (Version{1, 7}));
  EXPECT_EQ(state.items(), 5U);
  EXPECT_THAT(problem_of(text, make_keys().secret_key), HasSubstr("another feed key"));
}

TEST_F(DiskCopy, EachDamageIsNoticed) {
  for (size_t i = 0; i < text.size(); i += i < 60 ? 1 : 29'989) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_NE(problem_of(damaged, secret), "") << i;
    EXPECT_NE(problem_of(text.substr(0, i), secret), "") << i;
  }
  EXPECT_NE(problem_of(text.substr(0, text.size() - 1), secret), "");
  EXPECT_THAT(problem_of("listeners: []\n", secret), HasSubstr("no copy"));
}

TEST_F(DiskCopy, WhatACrashLeftGoesAndWhatSomebodyWritesStays) {
  const std::string left = file + ".0123456789abcdef";
  const std::string written = file + ".fedcba9876543210";
  const std::string other = file + ".backup-of-monday";
  for (const std::string& name : {left, written, other}) std::ofstream(name) << "half";
  const int fd = ::open(written.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(fd, LOCK_EX | LOCK_NB), 0);
  HeldState state;
  std::string problem;
  EXPECT_EQ(load_copy(file, secret, kSchema, kSchema, state, problem), Copy::kLoaded);
  EXPECT_NE(::access(left.c_str(), F_OK), 0);
  EXPECT_EQ(::access(written.c_str(), F_OK), 0);
  EXPECT_EQ(::access(other.c_str(), F_OK), 0);
  ::close(fd);
  HeldState again;
  load_copy(folder.path("copy"), secret, kSchema, kSchema, again, problem);
  EXPECT_NE(::access(written.c_str(), F_OK), 0);
}

TEST_F(DiskCopy, AnotherSchemaIsRefused) {
  HeldState state;
  std::string problem;
  EXPECT_EQ(load_copy(file, secret, kSchema + 1, kSchema + 2, state, problem), Copy::kUnusable);
  EXPECT_THAT(problem, HasSubstr("another schema"));
  EXPECT_EQ(load_copy(folder.path("none"), secret, 1, 1, state, problem), Copy::kAbsent);
}

TEST_F(DiskCopy, AProxyStartsWithItWhereNoControllerIs) {
  Subscriber::Options with_copy = options({});
  with_copy.copy_file = folder.path("state");
  {
    const auto one = controller();
    ASSERT_EQ(one->publisher->publish({1, 1}, {set("a", "1")}), "");
    Subscriber::Options fed = options({one->address});
    fed.copy_file = with_copy.copy_file;
    const auto first = proxy(fed);
    ASSERT_TRUE(until([&] { return first->has({1, 1}); }));
    ASSERT_EQ(one->publisher->publish({1, 2}, {set("a", "2")}), "");
    ASSERT_TRUE(until([&] { return first->has({1, 2}); }));
  }  // its end writes what is newer than the last copy
  const auto again = proxy(with_copy);
  EXPECT_TRUE(again->has({1, 2}));
  EXPECT_TRUE(again->subscriber->status().from_copy);
  EXPECT_EQ(again->follower.state.at("a"), "2");
  // A damaged one does not keep it from starting.
  std::ofstream(with_copy.copy_file, std::ios::in | std::ios::ate) << "x";
  std::fstream damage(with_copy.copy_file, std::ios::in | std::ios::out | std::ios::binary);
  damage.seekp(100).put('\0').put('\1');
  damage.close();
  const auto third = proxy(with_copy);
  EXPECT_EQ(third->subscriber->status().version, Version());
  EXPECT_EQ(third->follower.asked, 0U);
}

TEST(SealTest, RecordsCannotBeSwappedOrTakenFromAnotherFile) {
  const Secret secret("0123456789012345678901234567890123456789");
  const std::string salt(Seal::kSaltBytes, 's');
  const Seal seal(secret, salt);
  const std::string sealed = seal.close(3, "text");
  EXPECT_EQ(seal.open(3, sealed), "text");
  EXPECT_EQ(seal.open(4, sealed), std::nullopt);
  EXPECT_EQ(Seal(secret, std::string(Seal::kSaltBytes, 't')).open(3, sealed), std::nullopt);
  EXPECT_EQ(seal.open(3, ""), std::nullopt);
  EXPECT_NE(sealed, seal.close(4, "text"));
}

}  // namespace kg::feed::disk_copy_test
