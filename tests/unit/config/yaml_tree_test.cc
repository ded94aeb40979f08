// What yaml-cpp is given, and what it makes of hostile files.
#include "config/yaml_tree.h"

#include <gmock/gmock.h>

#include <random>

#include "config/utf8.h"
#include "config_folder.h"

namespace kg::config::yaml_tree_test {

using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

std::string repeat(std::string_view text, size_t count) {
  std::string out;
  out.reserve(text.size() * count);
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(YamlTree, SyntaxErrorsNameTheirLine) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems("workers: 1\nalb:\n\tidle_timeout: 1s\n"),
              ElementsAre(HasSubstr("3 : a tab in the indentation")));
  EXPECT_THAT(folder.problems("workers: 1\nalb: [1\n"), ElementsAre(HasSubstr("not valid YAML")));
  EXPECT_THAT(folder.problems("a: b: c\n"), ElementsAre(HasSubstr("1 : not valid YAML")));
  // yaml-cpp quotes one byte of what follows a backslash.
  for (const std::string_view escaped : {"\"\\", "\"\\\u00e4\""}) {
    EXPECT_THAT(folder.problems("a: " + std::string(escaped)),
                ElementsAre(EndsWith("not valid YAML: unknown escape character")));
  }
  EXPECT_THAT(folder.load("\tworkers: 1\n").config, testing::Eq(std::nullopt));
}

TEST(YamlTree, RefusesWhatHidesSizeOrMeaning) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(minimal() + "alb: &a {}\n"), ElementsAre("15 alb: an anchor"));
  EXPECT_THAT(folder.problems(minimal() + "alb: &a {}\ndrain: *a\n"),
              ElementsAre("15 alb: an anchor", "16 drain: an alias"));
  EXPECT_THAT(folder.problems(minimal() + "workers: !!int 4\n"), ElementsAre("15 workers: a tag"));
  EXPECT_THAT(folder.problems(minimal() + "workers: 1\nworkers: 2\n"),
              ElementsAre("16 workers: the key stands here twice, first in line 15"));
  EXPECT_THAT(folder.problems(minimal() + "? [a]\n: 1\n"),
              ElementsAre(HasSubstr("15 : a list or a map as a key")));
  EXPECT_THAT(folder.problems(minimal() + "---\nworkers: 1\n"),
              ElementsAre(HasSubstr("a second document")));
  EXPECT_THAT(folder.problems(minimal() + "access_log: {path: \"a\\0b\"}\n"),
              ElementsAre("15 access_log.path: holds a line break or another control character"));
  EXPECT_THAT(folder.problems(minimal() + "access_log: {path: " + repeat("x", 5000) + "}\n"),
              ElementsAre("15 access_log.path: longer than 4096 bytes"));
  EXPECT_THAT(folder.problems("- a\n- b\n"), ElementsAre("1 : the file is not a map of keys"));
}

TEST(YamlTree, RefusesBytesThatAreNotText) {
  const ConfigFolder folder;
  using namespace std::string_literals;
  for (const std::string& bad : {"\x04"s, "\0"s, "\x1b[2J"s, "\x7f"s, "\xff\xfe"s, "\xc0\x80"s,
                                 "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s, "\xc2\x85"s, "\xe2\x82"s})
    EXPECT_THAT(folder.problems("workers: 1\n# " + bad),
                ElementsAre("2 : a byte that is not printable UTF-8 text"));
  EXPECT_TRUE(folder.load("\xEF\xBB\xBF" + minimal()).config) << "a byte order mark is harmless";
  EXPECT_TRUE(is_printable_utf8("\xC2\xA0\xE2\x82\xAC\xF0\x9F\x98\x80", LineBreaks::kRefuse));
}

TEST(YamlTree, BoundsNestingKeysAndProblems) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems("a: " + repeat("[", 15) + repeat("]", 15)),
              Contains(HasSubstr("unknown key")));
  EXPECT_THAT(folder.problems("a: " + repeat("[", 16) + repeat("]", 16)),
              ElementsAre(HasSubstr("nested more than 16 deep")));
  std::string keys;
  for (int i = 0; i < 70; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(folder.problems(keys), Contains("65 k64: more than 64 keys in one map"));
  std::string entries = "endpoints:\n" + repeat("- 1\n", 5'000);
  const auto problems = folder.problems(entries);
  EXPECT_EQ(problems.size(), 1'001U);
  EXPECT_THAT(problems.back(), HasSubstr("more than 1000 problems"));
}

// Each would take gigabytes or the stack if it were believed.
TEST(YamlTree, HostileFilesAreRefusedWithinBounds) {
  const ConfigFolder folder;
  constexpr size_t kMany = 1'100'000;  // beyond what the parser may look ahead
  constexpr size_t kSome = 20'000;
  for (const std::string& text : {repeat("[", kMany),
                                  repeat("{a: ", kMany / 4),
                                  "[" + repeat("a,", kMany / 2),
                                  repeat("#", kMany),
                                  "a: [" + repeat("a,", kSome),
                                  repeat("{", kSome),
                                  repeat("- ", kSome),
                                  repeat("? ", kSome),
                                  "\"" + repeat("x", kSome),
                                  repeat("\"", kSome),
                                  repeat("'", kSome),
                                  repeat("a: b\n", kSome),
                                  repeat("&a ", kSome),
                                  repeat("*a ", kSome),
                                  repeat("!", kSome),
                                  repeat("|", kSome),
                                  repeat("\t", kSome),
                                  repeat("-", kSome),
                                  repeat("\n", kSome) + ":",
                                  repeat("%TAG ! x\n", kSome),
                                  repeat("a: &x [*x, *x]\n", 1000),
                                  std::string("a: [::]:8443"),
                                  std::string("!2"),
                                  std::string("*"),
                                  std::string("&"),
                                  std::string("<<: *a"),
                                  std::string("? "),
                                  std::string(":"),
                                  std::string("- -\n-"),
                                  std::string("a: |99\n b"),
                                  std::string("\"\\x"),
                                  std::string("\"\\uD800\"")}) {
    const Loaded loaded = folder.load(text);
    EXPECT_FALSE(loaded.config);
    EXPECT_FALSE(loaded.errors.empty()) << text.substr(0, 20);
  }
  EXPECT_THAT(folder.problems("[" + repeat("a,", kMany / 2)),
              ElementsAre(HasSubstr("more than 1 MiB")));
  EXPECT_THAT(load_text(repeat(" ", 16 * 1024 * 1024 + 1), "big.yaml").errors.at(0).problem,
              HasSubstr("larger than 16 MiB"));
}

// A fixed seed: cheap, and every run the same.
TEST(YamlTree, DamagedFilesNeverThrow) {
  const ConfigFolder folder;
  const std::string whole = complete();
  constexpr std::string_view kBytes = "[]{}:,-?&*!|>'\"%@`#~ \n\t\\0azAZ\xC3\xA4\x04\xFF";
  std::mt19937 random(4711);
  const auto below = [&](size_t end) { return static_cast<size_t>(random() % end); };
  for (int round = 0; round < 3'000; ++round) {
    std::string text = whole;
    for (size_t i = below(6) + 1; i > 0; --i) {
      const size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = kBytes[below(kBytes.size())];
          break;
        case 1:
          text.insert(at, 1, kBytes[below(kBytes.size())]);
          break;
        case 2:
          text.erase(at, below(20));
          break;
        default:
          text.insert(at, whole.substr(below(whole.size()), below(40)));
          break;
      }
    }
    const Loaded loaded = folder.load(text);
    bool has_error = false;
    for (const ConfigError& error : loaded.errors) has_error = has_error || !error.warning;
    ASSERT_NE(loaded.config.has_value(), has_error) << text;
  }
}

}  // namespace kg::config::yaml_tree_test
