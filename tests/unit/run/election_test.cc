#include "routing/controller/run/election.h"

#include "tests/unit/kube/kube_fixture.h"

namespace kg::controller::election_test {

using Json = nlohmann::json;
using kube::answer_of;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

// Of a holder that will not be waited for.
std::string lease_of(const std::string& holder, int transitions, const std::string& version) {
  Json lease = kube::object_of("lease", version);
  lease["spec"] = {
      {"holderIdentity", holder}, {"leaseDurationSeconds", 0}, {"leaseTransitions", transitions}};
  return answer_of("200 OK", lease.dump());
}

class ElectionTest : public kube::KubeTest {
 protected:
  std::vector<uint64_t> terms;
  Election election{
      loop, client, {"a", "lease", "us"}, [this](uint64_t term) { terms.push_back(term); }};
};

TEST_F(ElectionTest, WatchesFromTheStartAndTakesTheLeaseOnceItStands) {
  api.answers.push_back(lease_of("gone", 6, "1"));
  election.start();
  run_until([&] { return election.holder() == "gone"; });
  EXPECT_THAT(terms, IsEmpty());
  api.answers.push_back(lease_of("gone", 6, "1"));
  api.answers.push_back(lease_of("us", 7, "2"));
  election.stand();
  election.stand();
  run_until([&] { return election.leads(); });
  EXPECT_THAT(terms, ElementsAre(8));
  EXPECT_THAT(api.requests,
              ElementsAre(StartsWith("GET "), StartsWith("GET "), StartsWith("PUT ")));
}

TEST_F(ElectionTest, WhatIsNoLeaseIsNotWrittenBack) {
  api.answers = {lease_of("gone", 6, "1"),
                 answer_of("200 OK", R"({"metadata":{"resourceVersion":"2"},"spec":"none"})")};
  election.stand();
  run_until([&] { return election.leads(); });
  bool released = false;
  election.release([&] { released = true; });
  EXPECT_TRUE(released);
  EXPECT_THAT(api.requests, ElementsAre(StartsWith("GET "), StartsWith("PUT ")));
}

TEST_F(ElectionTest, ALeaseThatCanCountNoFurtherIsNotTaken) {
  api.answers = {lease_of("gone", 2'147'483'647, "1"), answer_of("200 OK", "{}")};
  election.stand();
  run_until([&] { return election.holder() == "gone"; });
  const auto mark = client.send(kube::get("/mark"), [](const kube::Reply&) {});
  run_until([&] { return api.requests.size() == 2; });
  EXPECT_THAT(api.requests[1], StartsWith("GET /mark ")) << "and nothing before it";
  EXPECT_THAT(terms, IsEmpty());
}

TEST_F(ElectionTest, TheLastTransitionIsLedAndRenewed) {
  api.answers = {lease_of("gone", 2'147'483'646, "1"), lease_of("us", 2'147'483'647, "2")};
  election.stand();
  run_until([&] { return election.leads(); });
  EXPECT_THAT(terms, ElementsAre(2'147'483'648));
}

TEST_F(ElectionTest, ANewLeaseBeginsAboveOnesThatAreNoMore) {
  api.answers = {answer_of("404 Not Found", "{}")};
  election.stand();
  run_until([&] { return api.requests.size() == 2; });
  const std::string& post = api.requests[1];
  const Json lease = Json::parse(post.substr(post.find("\r\n\r\n") + 4));
  const auto seconds = lease["spec"]["leaseTransitions"].get<int64_t>();
  EXPECT_NEAR(static_cast<double>(seconds),
              static_cast<double>(event::wall_us() / 1'000'000 - 1'577'836'800), 60);
  EXPECT_LT(seconds, 2'147'483'647);
}

TEST_F(ElectionTest, ALeaseThatRunsOutIsTakenThenAndNotALookLater) {
  Json lease = kube::object_of("lease", "1");
  lease["spec"] = {{"holderIdentity", "gone"}, {"leaseDurationSeconds", 1}};
  const std::string seen = answer_of("200 OK", lease.dump());
  api.answers = {seen, seen, lease_of("us", 1, "2")};
  const uint64_t began_us = event::monotonic_us();
  election.stand();
  run_until([&] { return election.leads(); });
  EXPECT_GE(event::monotonic_us() - began_us, 1'000'000U);
  EXPECT_LT(event::monotonic_us() - began_us, uint64_t{kElectionRetryMs} * 1'000);
}

// Leads, and its renewal has no answer yet.
class ReleaseTest : public ElectionTest {
 protected:
  void SetUp() override {
    api.answers = {lease_of("gone", 6, "1"), lease_of("us", 7, "2")};
    election.stand();
    run_until([&] { return election.leads(); });
    election.start();
    run_until([&] { return api.requests.size() == 3; });
    api.requests.clear();
  }
  void release() {
    bool released = false;
    election.release([&] { released = true; });
    run_until([&] { return released; });
  }
  // What the request of that number would write.
  Json written(size_t index) const {
    const std::string& put = api.requests.at(index);
    return Json::parse(put.substr(put.find("\r\n\r\n") + 4));
  }
  const std::string conflict = answer_of("409 Conflict", "{}");
};

TEST_F(ReleaseTest, ARenewalThatWasQuickerIsReadAndReleased) {
  api.answers = {conflict, lease_of("us", 7, "3"), lease_of("", 7, "4")};
  release();
  ASSERT_THAT(api.requests,
              ElementsAre(StartsWith("PUT "), StartsWith("GET "), StartsWith("PUT ")));
  for (const size_t index : {0U, 2U}) EXPECT_EQ(written(index)["spec"]["holderIdentity"], "");
  EXPECT_EQ(written(0)["metadata"]["resourceVersion"], "2");
  EXPECT_EQ(written(2)["metadata"]["resourceVersion"], "3");
}

TEST_F(ReleaseTest, WhatAnotherHoldsIsLeftToIt) {
  api.answers = {conflict, lease_of("them", 8, "3")};
  release();
  EXPECT_THAT(api.requests, ElementsAre(StartsWith("PUT "), StartsWith("GET ")));
}

TEST_F(ReleaseTest, ItIsTriedTwiceAndNoMore) {
  api.answers = {conflict, lease_of("us", 7, "3"), conflict};
  release();
  EXPECT_THAT(api.requests,
              ElementsAre(StartsWith("PUT "), StartsWith("GET "), StartsWith("PUT ")));
}

TEST_F(ReleaseTest, WhoeverDoesNotAnswerHoldsUpNoEnd) {
  const uint64_t began_us = event::monotonic_us();
  release();
  EXPECT_LE(event::monotonic_us() - began_us, uint64_t{kReleaseMs} * 1'000);
}

}  // namespace kg::controller::election_test
