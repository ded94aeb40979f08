#include "routing/controller/issuer/reviews.h"

#include <gmock/gmock.h>

namespace kg::issuer::reviews_test {

using Json = nlohmann::json;
using testing::ElementsAre;

std::string token_answer(const Json& status) {
  return Json{{"kind", "TokenReview"}, {"status", status}}.dump();
}
std::string access_answer(const Json& status) {
  return Json{{"kind", "SubjectAccessReview"}, {"status", status}}.dump();
}
const Json kUser{
    {"username", "alice"}, {"uid", "7"}, {"groups", {"a", "b"}}, {"extra", {{"k", {"v"}}}}};

TEST(TokenReview, AsksAndReads) {
  const Json asked = Json::parse(token_review("tok.en", {"kernelgate"}).reveal());
  EXPECT_EQ(asked["spec"]["token"], "tok.en");
  EXPECT_EQ(asked["spec"]["audiences"], Json({"kernelgate"}));
  EXPECT_FALSE(Json::parse(token_review("t", {}).reveal())["spec"].contains("audiences"));
  const TokenVerdict verdict =
      read_token_review(token_answer({{"authenticated", true}, {"user", kUser}}), {});
  ASSERT_TRUE(verdict.is_answer && verdict.caller);
  EXPECT_EQ(verdict.caller->name, "alice");
  EXPECT_THAT(verdict.caller->groups, ElementsAre("a", "b"));
  EXPECT_EQ(verdict.caller->extra, Json({{"k", {"v"}}}));
}

TEST(TokenReview, ATokenForOthersIsNobodys) {
  Json status{{"authenticated", true}, {"user", kUser}};
  EXPECT_FALSE(read_token_review(token_answer(status), {"kernelgate"}).caller);
  status["audiences"] = {"other"};
  EXPECT_FALSE(read_token_review(token_answer(status), {"kernelgate"}).caller);
  status["audiences"] = {"other", "kernelgate"};
  EXPECT_TRUE(read_token_review(token_answer(status), {"kernelgate"}).caller);
}

TEST(TokenReview, WhatIsNotAuthenticatedIsAnAnswer) {
  for (const Json& status :
       {Json::object(), Json{{"authenticated", false}, {"user", kUser}}, Json{{"error", "no"}}}) {
    const TokenVerdict verdict = read_token_review(token_answer(status), {});
    EXPECT_TRUE(verdict.is_answer);
    EXPECT_FALSE(verdict.caller);
  }
}

TEST(TokenReview, WhatCannotBeReadIsNone) {
  Json nameless = kUser;
  nameless["username"] = "";
  Json strange = kUser;
  strange["groups"] = {1};
  Json stranger = kUser;
  stranger["extra"] = {{"k", "v"}};
  for (const std::string& answer :
       {std::string(), std::string("{}"), access_answer({{"allowed", true}}),
        token_answer({{"authenticated", true}}), token_answer("x"),
        token_answer({{"authenticated", true}, {"user", nameless}}),
        token_answer({{"authenticated", true}, {"user", strange}}),
        token_answer({{"authenticated", true}, {"user", stranger}})}) {
    const TokenVerdict verdict = read_token_review(answer, {});
    EXPECT_FALSE(verdict.is_answer) << answer;
    EXPECT_FALSE(verdict.caller);
  }
}

TEST(AccessReview, TellsWhoWantsWhat) {
  const Caller caller{"alice", "7", {"a"}, {{"k", {"v"}}}};
  const Json asked =
      Json::parse(access_review(caller, {"create", "team", "endpoints", "credentials", "abc"}));
  const Json& spec = asked["spec"];
  EXPECT_EQ(spec["user"], "alice");
  EXPECT_EQ(spec["uid"], "7");
  EXPECT_EQ(spec["groups"], Json({"a"}));
  EXPECT_EQ(spec["extra"], caller.extra);
  EXPECT_EQ(spec["resourceAttributes"], Json({{"group", "kernelgate.io"},
                                              {"version", "v1"},
                                              {"verb", "create"},
                                              {"namespace", "team"},
                                              {"resource", "endpoints"},
                                              {"subresource", "credentials"},
                                              {"name", "abc"}}));
}

TEST(AccessReview, OnlyAPlainYesIsOne) {
  EXPECT_TRUE(read_access_review(access_answer({{"allowed", true}})).allowed);
  EXPECT_FALSE(read_access_review(access_answer({{"allowed", true}, {"denied", true}})).allowed);
  const AccessVerdict no = read_access_review(access_answer({{"allowed", false}}));
  EXPECT_TRUE(no.is_answer && !no.allowed);
  for (const std::string& answer :
       {std::string("x"), access_answer(Json::object()), access_answer({{"allowed", "true"}}),
        token_answer({{"allowed", true}})}) {
    const AccessVerdict verdict = read_access_review(answer);
    EXPECT_FALSE(verdict.is_answer || verdict.allowed) << answer;
  }
}

}  // namespace kg::issuer::reviews_test
