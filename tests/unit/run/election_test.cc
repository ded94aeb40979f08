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

}  // namespace kg::controller::election_test
