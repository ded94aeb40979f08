#include "routing/controller/run/status_writer.h"

#include "tests/unit/kube/kube_fixture.h"

namespace kg::controller::status_writer_test {

using Json = nlohmann::json;
using kube::answer_of;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Json ingress_of(const std::string& name, const std::string& version, const Json& addresses) {
  Json out = kube::object_of(name, version);
  out["status"] = {{"loadBalancer", {{"ingress", addresses}}}};
  return out;
}

class StatusWriterTest : public kube::KubeTest {
 protected:
  std::unique_ptr<StatusWriter> make(const StatusWriter::Options& options) {
    return std::make_unique<StatusWriter>(
        loop, client, options,
        [this](const ingress::ObjectName& name) {
          return name.name == foreign ? theirs : Belonging::kOurs;
        },
        [this] { due = true; });
  }
  Json body_of(size_t request) const {
    const std::string& text = api.requests.at(request);
    return Json::parse(text.substr(text.find("\r\n\r\n") + 4));
  }

  std::string foreign = "theirs";
  Belonging theirs = Belonging::kOthers;
  bool due = false;
  const StatusWriter::Options two{{"192.0.2.7", "gate.example.com"}, {}};
  const Json both = Json::array({{{"hostname", "gate.example.com"}}, {{"ip", "192.0.2.7"}}});
};

TEST_F(StatusWriterTest, OnlyOursThatSaySomethingElseAndOnlyByTheLeader) {
  const auto writer = make(two);
  writer->saw(ingress_of("a", "1", Json::array()));
  writer->saw(ingress_of("b", "2", both));
  writer->saw(ingress_of("theirs", "3", Json::array()));
  writer->look();
  EXPECT_EQ(writer->waiting(), 0U);
  writer->set_leading(true);
  writer->look();
  EXPECT_EQ(writer->waiting(), 1U);
  api.answers.push_back(answer_of("200 OK", ingress_of("a", "4", both).dump()));
  run_until([&] { return writer->counts().ok == 1; });
  EXPECT_THAT(api.requests.front(),
              StartsWith("PATCH /apis/networking.k8s.io/v1/namespaces/a/ingresses/a/status HTTP"));
  EXPECT_EQ(body_of(0), (Json{{"metadata", {{"resourceVersion", "1"}}},
                              {"status", {{"loadBalancer", {{"ingress", both}}}}}}));
  writer->saw(ingress_of("a", "4", both));
  writer->look();
  EXPECT_EQ(writer->waiting(), 0U);
  // Who contradicts us is answered, and not at once.
  writer->saw(ingress_of("a", "5", Json::array()));
  writer->look();
  EXPECT_EQ(writer->waiting(), 0U);
}

TEST_F(StatusWriterTest, OneThatChangedMeanwhileIsLookedAtAgain) {
  const auto writer = make(two);
  writer->set_leading(true);
  writer->saw(ingress_of("a", "1", Json::array()));
  writer->look();
  api.answers.push_back(answer_of("503 Service Unavailable", "{}"));
  api.answers.push_back(answer_of("409 Conflict", kube::status_of(409, "changed").dump()));
  run_until([&] { return api.requests.size() == 2 && api.answers.empty(); });
  EXPECT_EQ(writer->counts().retried, 1U);
  EXPECT_EQ(writer->waiting(), 0U);
  writer->saw(ingress_of("a", "2", Json::array()));
  writer->look();
  api.answers.push_back(answer_of("200 OK", ingress_of("a", "3", both).dump()));
  run_until([&] { return writer->counts().ok == 1; });
  EXPECT_EQ(body_of(2)["metadata"]["resourceVersion"], "2");
}

TEST_F(StatusWriterTest, OneThatLeavesOurClassBeforeItsTurnIsLeftAlone) {
  const auto writer = make(two);
  writer->set_leading(true);
  writer->saw(ingress_of("a", "1", Json::array()));
  writer->look();
  foreign = "a";
  run_until([&] { return writer->waiting() == 0; });
  EXPECT_THAT(api.requests, IsEmpty());
}

TEST_F(StatusWriterTest, OneThatLeavesOurClassIsClearedOnce) {
  const auto writer = make(two);
  writer->set_leading(true);
  writer->saw(ingress_of("a", "1", both));
  writer->look();
  foreign = "a";
  writer->saw(ingress_of("a", "2", both));
  writer->look();
  api.answers.push_back(answer_of("200 OK", ingress_of("a", "3", Json::array()).dump()));
  run_until([&] { return writer->counts().ok == 1; });
  EXPECT_EQ(body_of(0), (Json{{"metadata", {{"resourceVersion", "2"}}},
                              {"status", {{"loadBalancer", {{"ingress", Json::array()}}}}}}));
  // Its controller is reached where we are.
  writer->saw(ingress_of("a", "4", both));
  writer->look();
  EXPECT_EQ(writer->waiting(), 0U);
}

TEST_F(StatusWriterTest, WhatOthersWroteOrAreObservedForIsNotCleared) {
  const auto writer = make(two);
  writer->set_leading(true);
  writer->saw(ingress_of("a", "1", both));
  writer->saw(ingress_of("theirs", "1", both));  // never was ours
  writer->look();
  EXPECT_EQ(writer->waiting(), 0U);
  foreign = "a";
  writer->saw(ingress_of("a", "2", Json::array({{{"ip", "192.0.2.99"}}})));
  writer->look();
  EXPECT_EQ(writer->waiting(), 0U);
  theirs = Belonging::kObserved;
  writer->saw(ingress_of("a", "3", both));
  writer->look();
  EXPECT_EQ(writer->waiting(), 0U);
}

TEST_F(StatusWriterTest, AServiceIsFollowed) {
  const auto writer = make({{}, ingress::ObjectName{"edge", "gate"}});
  Json service = kube::object_of("gate", "7", "edge");
  service["spec"] = {{"type", "LoadBalancer"}};
  service["status"] = {{"loadBalancer", {{"ingress", {{{"ip", "192.0.2.8"}}}}}}};
  api.answers.push_back(kube::list_of("10", {service}));
  writer->set_leading(true);
  writer->saw(ingress_of("a", "1", Json::array()));
  writer->look();
  EXPECT_EQ(writer->waiting(), 0U);  // nothing is known yet
  writer->start();
  run_until([&] { return api.requests.size() >= 2; });
  EXPECT_THAT(api.requests[0],
              HasSubstr("/namespaces/edge/services?fieldSelector=metadata.name%3Dgate"));
  run_until([&] { return due; });
  writer->look();
  run_until([&] { return api.requests.size() == 3; });
  EXPECT_EQ(body_of(2)["status"]["loadBalancer"]["ingress"],
            Json::parse(R"([{"ip": "192.0.2.8"}])"));
}

TEST(StatusAddressesTest, OfEachTypeOfService) {
  const auto addresses = [](const char* spec, const char* status = "[]") {
    return addresses_of({{"spec", Json::parse(spec)},
                         {"status", {{"loadBalancer", {{"ingress", Json::parse(status)}}}}}});
  };
  EXPECT_EQ(addresses(R"({"type": "ClusterIP", "clusterIP": "10.0.0.9"})"),
            Json::parse(R"([{"ip": "10.0.0.9"}])"));
  EXPECT_EQ(addresses(R"({"type": "ClusterIP", "clusterIP": "None"})"), Json::array());
  EXPECT_EQ(
      addresses(R"({"type": "NodePort", "clusterIP": "10.0.0.9", "externalIPs": ["192.0.2.1"]})"),
      Json::parse(R"([{"ip": "192.0.2.1"}])"));
  EXPECT_EQ(addresses(R"({"type": "ExternalName", "externalName": "gate.example.com"})"),
            Json::parse(R"([{"hostname": "gate.example.com"}])"));
  EXPECT_EQ(addresses(R"({"type": "LoadBalancer", "clusterIP": "10.0.0.9"})"), Json::array());
  EXPECT_EQ(
      addresses(R"({"type": "LoadBalancer", "externalIPs": ["192.0.2.1", "192.0.2.8"]})",
                R"([{"ip": "192.0.2.8"}, {"hostname": "lb.example.com"}])"),
      Json::parse(R"([{"ip": "192.0.2.8"}, {"hostname": "lb.example.com"}, {"ip": "192.0.2.1"}])"));
}

TEST(StatusAddressesTest, OptionsThatCannotBeMeant) {
  EXPECT_EQ(StatusWriter::check({{"192.0.2.1", "2001:db8::1", "gate.example.com"}, {}}), "");
  EXPECT_THAT(StatusWriter::check({{"https://gate"}, {}}),
              HasSubstr("an IP address or a host name"));
  EXPECT_THAT(StatusWriter::check({{"192.0.2.1"}, ingress::ObjectName{"a", "b"}}),
              HasSubstr("one of them"));
}

}  // namespace kg::controller::status_writer_test
