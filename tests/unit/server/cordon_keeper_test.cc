#include "proxy/server/cordon_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/server/temporary_folder.h"

namespace kg::server::cordon_keeper_test {

class CordonKeeperTest : public testing::Test {
 protected:
  std::string state(const std::string& name) const {
    std::filesystem::create_directory(folder_.path(name));
    return folder_.path(name);
  }
  // What a process that starts now would know.
  static routing::Cordons kept_in(const std::string& state_dir) {
    CordonKeeper other;
    other.adopt(state_dir);
    return other.cordons();
  }

  TemporaryFolder folder_;
  CordonKeeper keeper_;
};

TEST_F(CordonKeeperTest, WhatIsClosedStaysClosedThroughARestart) {
  const std::string dir = state("a");
  keeper_.adopt(dir);
  EXPECT_TRUE(keeper_.add("ep", "jeg-0"));
  EXPECT_TRUE(keeper_.add("ep", "jeg-1"));
  EXPECT_TRUE(keeper_.survives_restart());
  EXPECT_EQ(kept_in(dir), keeper_.cordons());
  keeper_.remove("ep", "jeg-0");
  EXPECT_FALSE(kept_in(dir).has("ep", "jeg-0"));
  EXPECT_TRUE(kept_in(dir).has("ep", "jeg-1"));
}

TEST_F(CordonKeeperTest, LeavesNothingElseInItsFolder) {
  const std::string dir = state("a");
  keeper_.adopt(dir);
  for (int i = 0; i < 3; ++i) keeper_.add("ep", "jeg-" + std::to_string(i));
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    EXPECT_EQ(entry.path().filename(), "cordons");
    ++files;
  }
  EXPECT_EQ(files, 1U);
}

TEST_F(CordonKeeperTest, AReloadKeepsThemAndMovesThemWithTheFolder) {
  keeper_.adopt(state("a"));
  keeper_.add("ep", "jeg-0");
  keeper_.adopt(state("a"));
  EXPECT_TRUE(keeper_.cordons().has("ep", "jeg-0"));
  keeper_.adopt(state("b"));
  EXPECT_TRUE(kept_in(state("b")).has("ep", "jeg-0"));
}

TEST_F(CordonKeeperTest, WhatCannotBeWrittenHoldsUntilTheProcessEnds) {
  keeper_.adopt("");
  EXPECT_TRUE(keeper_.add("ep", "jeg-0"));
  EXPECT_FALSE(keeper_.survives_restart());
  keeper_.adopt(folder_.path("not-there"));
  EXPECT_TRUE(keeper_.cordons().has("ep", "jeg-0"));
  EXPECT_FALSE(keeper_.survives_restart());
  keeper_.adopt(state("a"));
  EXPECT_TRUE(keeper_.survives_restart());
}

TEST_F(CordonKeeperTest, AnUnusableFileCountsAsEmptyAndIsWrittenAnew) {
  const std::string dir = state("a");
  folder_.write("a/cordons", "ep jeg-0\nnonsense\n");
  std::string problem;
  EXPECT_EQ(read_cordons(cordon_file(dir), problem), routing::Cordons());
  EXPECT_EQ(problem, cordon_file(dir) + " line 2 is not an endpoint and a pod");
  keeper_.adopt(dir);
  EXPECT_TRUE(keeper_.cordons().all().empty());
  keeper_.add("ep", "jeg-1");
  EXPECT_TRUE(kept_in(dir).has("ep", "jeg-1"));
}

}  // namespace kg::server::cordon_keeper_test
