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

}  // namespace kg::controller::election_test
