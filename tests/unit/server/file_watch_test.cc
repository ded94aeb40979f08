#include "proxy/server/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/server/temporary_folder.h"

namespace kg::server::file_watch_test {

class FileWatchTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string one_ = folder_.write("one", "1");
  std::string two_ = folder_.write("two", "2");
  FileWatch watch_{{one_, two_}};
};

TEST_F(FileWatchTest, TellsTheFirstStateOnce) {
  EXPECT_FALSE(watch_.changed()) << "one look is not enough";
  EXPECT_TRUE(watch_.changed());
  EXPECT_FALSE(watch_.changed());
  EXPECT_FALSE(watch_.changed());
}

TEST_F(FileWatchTest, AChangeOfOneFileCountsOnceItHasSettled) {
  watch_.changed();
  watch_.changed();
  folder_.write("two", "half");
  EXPECT_FALSE(watch_.changed());
  folder_.write("two", "half and half");
  EXPECT_FALSE(watch_.changed()) << "a writer is at it";
  EXPECT_TRUE(watch_.changed());
  EXPECT_FALSE(watch_.changed());
}

TEST_F(FileWatchTest, ASwappedLinkIsAChange) {
  const std::string link = folder_.path("link");
  std::filesystem::create_symlink("one", link);
  FileWatch watch({link});
  watch.changed();
  watch.changed();
  std::filesystem::create_symlink("two", folder_.path("fresh"));
  std::filesystem::rename(folder_.path("fresh"), link);
  EXPECT_FALSE(watch.changed());
  EXPECT_TRUE(watch.changed());
}

TEST_F(FileWatchTest, GoingAndComingBackAreChanges) {
  watch_.changed();
  watch_.changed();
  std::filesystem::remove(one_);
  EXPECT_FALSE(watch_.changed());
  EXPECT_TRUE(watch_.changed());
  folder_.write("one", "1");
  EXPECT_FALSE(watch_.changed());
  EXPECT_TRUE(watch_.changed());
}

}  // namespace kg::server::file_watch_test
