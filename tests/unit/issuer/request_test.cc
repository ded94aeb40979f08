#include "routing/controller/issuer/request.h"

#include <gmock/gmock.h>

namespace kg::issuer::request_test {

using testing::ElementsAre;
using testing::HasSubstr;

std::string problem_of(const std::string& body) { return read_wish(body).problem; }
std::string problem_with(const std::string& member) {
  return problem_of(R"({"credentialType":"TOKEN",)" + member + "}");
}

TEST(Target, IsOneShapeOfPath) {
  const auto target = read_target("/virtualclusters/team-a/endpoints/abc123/credentials");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->space, "team-a");
  EXPECT_EQ(target->endpoint, "abc123");
  for (const char* other :
       {"", "/", "/virtualclusters/a/endpoints/b", "/virtualclusters/a/endpoints/b/credentials/",
        "/virtualclusters/a/endpoints/b/credentials/x",
        "//virtualclusters/a/endpoints/b/credentials", "/virtualclusters//endpoints/b/credentials",
        "/virtualclusters/a/endpoints//credentials", "/virtualclusters/A/endpoints/b/credentials",
        "/virtualclusters/a/endpoints/B/credentials", "/virtualclusters/-a/endpoints/b/credentials",
        "/virtualclusters/a-/endpoints/b/credentials",
        "/virtualclusters/a.b/endpoints/b/credentials",
        "/virtualclusters/a/endpoints/b-c/credentials",
        "/virtualclusters/a%2fb/endpoints/c/credentials",
        "/virtualclusters/a/endpoints/../credentials"}) {
    EXPECT_FALSE(read_target(other)) << other;
  }
  const std::string id64(64, 'a');
  EXPECT_TRUE(read_target("/virtualclusters/a/endpoints/" + id64 + "/credentials"));
  EXPECT_FALSE(read_target("/virtualclusters/a/endpoints/" + id64 + "a/credentials"));
}

TEST(Wish, IsReadWhole) {
  const ReadWish read = read_wish(R"({"credentialType":"TOKEN","durationInSeconds":43200,
      "executionRoleArn":"arn:aws:iam::111122223333:role/a","logContext":"team-a.b",
      "clientToken":"0b0e7d0c-77aa","subject":"ålice","groups":["b","a","b"]})");
  ASSERT_TRUE(read.wish) << read.problem;
  EXPECT_EQ(read.wish->seconds, 43'200U);
  EXPECT_EQ(read.wish->role, "arn:aws:iam::111122223333:role/a");
  EXPECT_EQ(read.wish->log_context, "team-a.b");
  EXPECT_EQ(read.wish->client_token, "0b0e7d0c-77aa");
  EXPECT_EQ(read.wish->subject, "ålice");
  EXPECT_THAT(read.wish->groups, ElementsAre("a", "b"));
}

TEST(Wish, HasDefaults) {
  const ReadWish read = read_wish(R"({"credentialType":"TOKEN"})");
  ASSERT_TRUE(read.wish) << read.problem;
  EXPECT_EQ(read.wish->seconds, 900U);
  EXPECT_EQ(read.wish->role + read.wish->log_context + read.wish->subject, "");
}

TEST(Wish, IsRefusedForAnythingElse) {
  EXPECT_THAT(problem_of(""), HasSubstr("is not JSON"));
  EXPECT_THAT(problem_of("[]"), HasSubstr("The body"));
  EXPECT_THAT(problem_of("{}"), HasSubstr("credentialType"));
  EXPECT_THAT(problem_of(R"({"credentialType":"token"})"), HasSubstr("credentialType"));
  EXPECT_THAT(problem_of(R"({"credentialType":"TOKEN","credentialType":"TOKEN"})"),
              HasSubstr("The body"));
  EXPECT_THAT(problem_of(std::string(kBodyBytesMax + 1, ' ')), HasSubstr("64 KiB"));
  EXPECT_THAT(problem_with(R"("executionRoleARN":"a")"), HasSubstr("not known"));
  for (const char* seconds : {"0", "-1", "43201", "1.5", "\"900\"", "1e40", "null"}) {
    EXPECT_THAT(problem_with(std::string("\"durationInSeconds\":") + seconds),
                HasSubstr("durationInSeconds is not"));
  }
  for (const char* context : {"\"ab\"", "\"Team\"", "\"a..b\"", "\"-ab\"", "\"ab.\"", "1"}) {
    EXPECT_THAT(problem_with(std::string("\"logContext\":") + context),
                HasSubstr("logContext is not"));
  }
  EXPECT_THAT(problem_with(R"("executionRoleArn":"")"), HasSubstr("executionRoleArn is not"));
  EXPECT_THAT(problem_with(R"("clientToken":"a b")"), HasSubstr("clientToken is not"));
  EXPECT_THAT(problem_with(R"("subject":"a\nb")"), HasSubstr("subject is not"));
  EXPECT_THAT(problem_with("\"subject\":\"" + std::string(257, 'a') + "\""),
              HasSubstr("subject is not"));
  EXPECT_THAT(problem_with(R"("groups":["a",1])"), HasSubstr("groups is not"));
  EXPECT_THAT(problem_with(R"("groups":[""])"), HasSubstr("groups is not"));
  EXPECT_THAT(problem_with(R"("groups":["1","2","3","4","5","6","7","8","9"])"),
              HasSubstr("groups is not"));
}

TEST(Bearer, IsAToken) {
  EXPECT_EQ(bearer_of("Bearer a.b-c_d~e+f/g="), "a.b-c_d~e+f/g=");
  EXPECT_EQ(bearer_of("bearer  x"), "x");
  for (const char* other : {"", "Bearer", "Bearer ", "token x", "Basic eDp5", "Bearer a b",
                            "Bearer a\"b", "Bearer a\\b", "Bearer \xc3\xa9"}) {
    EXPECT_EQ(bearer_of(other), "") << other;
  }
  EXPECT_EQ(bearer_of("Bearer " + std::string(kTokenBytesMax + 1, 'a')), "");
}

}  // namespace kg::issuer::request_test
