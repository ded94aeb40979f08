// Keys, scopes and the list of who is allowed.
#include "routing/feed/keys.h"

#include <fstream>

#include "routing/feed/limits.h"
#include "tests/unit/feed/feed_items.h"

namespace kg::feed::keys_test {

using testing::HasSubstr;
using testing::Not;

TEST(FeedKeys, AreReadAsTheyWereMade) {
  const TestFolder folder;
  const std::string file = folder.path("proxy-0.key");
  const KeyPair keys = make_keys();
  std::ofstream(file) << keys.secret_key.reveal() << "\n";
  std::string problem;
  const auto read = read_keys(file, problem);
  ASSERT_TRUE(read.has_value()) << problem;
  EXPECT_EQ(read->public_key, keys.public_key);
  EXPECT_EQ(read->secret_key.reveal(), keys.secret_key.reveal());
  EXPECT_NE(make_keys().public_key, keys.public_key);
}

TEST(FeedKeys, WhatIsNoKeyIsRefusedWithoutShowingIt) {
  const TestFolder folder;
  const std::string file = folder.path("bad");
  const std::string good(make_keys().secret_key.reveal());
  for (const std::string& text :
       {std::string("topsecret"), good + "x", good.substr(1), good + "\n" + good, std::string()}) {
    std::ofstream(file) << text;
    std::string problem;
    EXPECT_FALSE(read_keys(file, problem).has_value()) << text;
    EXPECT_THAT(problem, HasSubstr(file));
    EXPECT_THAT(problem, Not(HasSubstr("topsecret")));
  }
  std::string problem;
  EXPECT_FALSE(read_keys(folder.path("none"), problem).has_value());
  EXPECT_FALSE(is_key(std::string(40, '"')));
  EXPECT_FALSE(is_key(std::string(40, '#'))) << "more than 32 bits a group";
  EXPECT_EQ(key_text("short"), "");
}

TEST(FeedScope, SaysWhatIsSeen) {
  EXPECT_TRUE(scope("all").sees("any", "x"));
  const Scope some = scope("namespace:a, endpoint:b/x");
  EXPECT_TRUE(some.sees("a", ""));
  EXPECT_TRUE(some.sees("a", "y"));
  EXPECT_TRUE(some.sees("b", "x"));
  EXPECT_FALSE(some.sees("b", "y"));
  EXPECT_FALSE(some.sees("b", "")) << "what is of the whole namespace";
  EXPECT_FALSE(some.sees("c", "x")) << "an endpoint of this name in another namespace";
  EXPECT_TRUE(some.sees("", "")) << "what is everybody's";
  EXPECT_FALSE(some.speaks_for("", "")) << "and not his to say";
  EXPECT_TRUE(some.speaks_for("a", "x"));
  EXPECT_TRUE(scope("all").speaks_for("", ""));
}

TEST(FeedScope, WhatConcernsAllEndpointsOfANamespaceIsHeardByEachAndSaidByFew) {
  const Scope some = scope("namespace:a,endpoint:b/x");
  EXPECT_TRUE(some.sees("a", kEveryEndpoint));
  EXPECT_TRUE(some.sees("b", kEveryEndpoint));
  EXPECT_FALSE(some.sees("c", kEveryEndpoint));
  EXPECT_TRUE(some.speaks_for("a", kEveryEndpoint));
  EXPECT_FALSE(some.speaks_for("b", kEveryEndpoint)) << "its key is that of one endpoint";
  EXPECT_EQ(some.places(), (std::vector<Scope::Place>{{"a", "*"}, {"b", "x"}}));
  EXPECT_EQ(scope("all").places(), (std::vector<Scope::Place>{{"", ""}}));
  for (const char* text : {"all", "namespace:a,namespace:b,endpoint:b/x"}) {
    EXPECT_EQ(scope(text).text(), text);
  }
}

TEST(FeedScope, WhatIsMisspeltIsNoScope) {
  for (const char* text :
       {"", "All", "all,namespace:a", "namespace:", "namespace:a b", "a", "endpoint:x",
        "endpoint:a/", "endpoint:/x", "endpoint:a/x/y", "namespace:a,namespaces:b"}) {
    std::string problem;
    EXPECT_FALSE(Scope::parse(text, problem).has_value()) << text;
    EXPECT_NE(problem, "") << text;
  }
}

TEST(FeedAllowList, IsReadWholeOrNotAtAll) {
  const std::string a = make_keys().public_key;
  const std::string b = make_keys().public_key;
  std::string problem;
  const auto list =
      AllowList::parse("# proxies\n" + a + " all\n\n" + b + " namespace:x\n", problem);
  ASSERT_TRUE(list.has_value()) << problem;
  EXPECT_EQ(list->size(), 2U);
  EXPECT_EQ(*list->find(b), scope("namespace:x"));
  EXPECT_EQ(list->find("other"), nullptr);
  for (const std::string& text : {a + " all\n" + a + " namespace:x\n", a + "\n", a + " \n",
                                  a + "  alll\n", a.substr(1) + " all\n", a + "all\n"}) {
    EXPECT_FALSE(AllowList::parse(text, problem).has_value()) << text;
    EXPECT_THAT(problem, HasSubstr("line ")) << text;
  }
}

}  // namespace kg::feed::keys_test
