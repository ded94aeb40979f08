#include "routing/controller/kube/writes.h"

#include "tests/unit/kube/kube_fixture.h"

namespace kg::kube::writes_test {

using testing::ElementsAre;

class WritesTest : public KubeTest {
 protected:
  // Notes the answers' statuses by key.
  void add(Writes& writes, const std::string& key, const std::string& body,
           uint32_t deadline_ms = kCallMs) {
    writes.add(
        key,
        [body, deadline_ms]() -> std::optional<CallRequest> {
          if (body.empty()) return std::nullopt;
          CallRequest request;
          request.method = fetch::Method::kPost;
          request.target = "/" + body;
          request.body = Secret(body);
          request.deadline_ms = deadline_ms;
          return request;
        },
        [this, key](const Reply& reply) {
          done.push_back(key + " " + std::to_string(reply.status));
          return reply.ok();
        });
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> out;
    for (const std::string& request : api.requests)
      out.push_back(request.substr(6, request.find(' ', 6) - 6));
    return out;
  }

  Writes::Limits limits{1'000, 100, 1, 100, 1};
  std::vector<std::string> done;
};

TEST(PaceTest, SoManyAtOnceThenOneEachSoOften) {
  Pace pace(1'000, 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(pace.wait_us(500), 0U);
    pace.take(500);
  }
  EXPECT_EQ(pace.wait_us(500), 1'000U);
  EXPECT_EQ(pace.wait_us(1'400), 100U);
  EXPECT_EQ(pace.wait_us(1'500), 0U);
  pace.take(1'500);
  EXPECT_EQ(pace.wait_us(1'500), 1'000U);
}

TEST_F(WritesTest, OneAtATimeInTheirOrderAndTheNewestOfAKey) {
  Writes writes(loop, client, limits);
  add(writes, "a", "a1");
  add(writes, "b", "b1");
  add(writes, "unwanted", "");
  add(writes, "b", "b2");
  run_until([&] { return api.requests.size() == 1; });
  add(writes, "a", "a2");  // the first is under way, and is followed
  api.answers = {answer_of("200 OK", "{}"), answer_of("404 Not Found", "{}")};
  api.hang_up();  // the first is lost, and the newer one of its key goes instead
  run_until([&] { return done.size() == 2; });
  EXPECT_THAT(asked(), ElementsAre("a1", "b2", "a2"));
  EXPECT_THAT(done, ElementsAre("b 200", "a 404"));
  EXPECT_EQ(writes.counts().ok, 1U);
  EXPECT_EQ(writes.counts().failed, 1U);
}

TEST_F(WritesTest, ABusyServerIsAskedAgainButNotForEverForOne) {
  Writes writes(loop, client, limits);
  for (uint32_t i = 0; i < 3; ++i) api.answers.push_back(answer_of("429 Too Many Requests", "{}"));
  for (uint32_t i = 0; i < kWriteTriesMax; ++i) {
    api.answers.push_back(answer_of("500 Internal Server Error", "{}"));
    if (i == 0) api.answers.push_back(answer_of("200 OK", "{}"));
  }
  add(writes, "a", "a");
  run_until([&] { return writes.counts().retried == 3; });
  add(writes, "b", "b");
  run_until([&] { return done.size() == 2; });
  EXPECT_THAT(done, ElementsAre("b 200", "a 500"));
  EXPECT_EQ(writes.counts().retried, 3U + kWriteTriesMax - 1);
  EXPECT_EQ(writes.counts().failed, 1U);
}

TEST_F(WritesTest, OneThatIsNeverAnsweredIsGivenUpAndOthersGoOn) {
  Writes writes(loop, client, limits);
  add(writes, "silent", "silent", 2);
  run_until([&] { return writes.counts().failed == 1; });
  EXPECT_EQ(api.requests.size(), kWriteLostMax);
  EXPECT_EQ(writes.counts().retried, kWriteLostMax - 1);
  EXPECT_THAT(done, ElementsAre("silent 0"));
  api.answers.push_back(answer_of("200 OK", "{}"));
  add(writes, "next", "next");
  run_until([&] { return writes.counts().ok == 1; });
  EXPECT_EQ(writes.waiting(), 0U);
}

TEST_F(WritesTest, BoundedAndForgottenWithoutAWord) {
  limits.open_max = 2;
  limits.waiting_max = 5;
  Writes writes(loop, client, limits);
  for (int i = 0; i < 6; ++i) add(writes, std::to_string(i), std::to_string(i));
  EXPECT_EQ(writes.counts().dropped, 1U);
  run_until([&] { return api.requests.size() == 2; });
  EXPECT_EQ(writes.waiting(), 3U);
  writes.clear();
  EXPECT_EQ(writes.waiting(), 0U);
  api.answers.push_back(answer_of("200 OK", "{}"));
  add(writes, "last", "last");
  run_until([&] { return !done.empty(); });
  EXPECT_THAT(done, ElementsAre("last 200"));
  EXPECT_THAT(asked(), ElementsAre("0", "1", "last"));
}

}  // namespace kg::kube::writes_test
