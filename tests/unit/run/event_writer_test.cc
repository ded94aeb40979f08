#include "routing/controller/run/event_writer.h"

#include "tests/unit/kube/kube_fixture.h"

namespace kg::controller::event_writer_test {

using ingress::Finding;
using ingress::Kind;
using ingress::ObjectRef;
using ingress::Severity;
using Json = nlohmann::json;
using kube::answer_of;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

const ObjectRef kIngress{Kind::kIngress, {"analytics", "jeg"}};
const Finding kTaken{Severity::kError, "HostTaken",
                     "host \"a.example.com\" is another namespace's"};

class EventWriterTest : public kube::KubeTest {
 protected:
  void judge(std::vector<Finding> now, const ObjectRef& ref = kIngress) {
    findings[ref] = std::move(now);
    writer.judged(ref);
  }
  void answer(const std::string& status, const std::string& body = "{}") {
    api.answers.push_back(answer_of(status, body));
  }
  void run_until_written(uint64_t ok) {
    run_until([&] { return writer.counts().ok == ok; });
  }
  Json body_of(size_t request) const {
    const std::string& text = api.requests.at(request);
    return Json::parse(text.substr(text.find("\r\n\r\n") + 4));
  }
  std::string line_of(size_t request) const {
    return api.requests.at(request).substr(0, api.requests.at(request).find(" HTTP"));
  }

  std::map<ObjectRef, std::vector<Finding>> findings;
  std::string uid = "uid-1";
  EventWriter writer{
      loop,
      client,
      {"kernelgate.io/ingress", "pod-1_0123"},
      {[this](const ObjectRef& ref) -> const std::vector<Finding>& { return findings[ref]; },
       [this](const ObjectRef&) { return uid; }}};
};

TEST_F(EventWriterTest, AFindingIsOneEventOfItsObject) {
  writer.set_leading(true);
  answer("201 Created");
  judge({kTaken});
  run_until_written(1);
  EXPECT_THAT(line_of(0), StartsWith("POST /apis/events.k8s.io/v1/namespaces/analytics/events"));
  const Json event = body_of(0);
  EXPECT_THAT(event["metadata"]["name"].get<std::string>(),
              testing::MatchesRegex("jeg\\.[0-9a-f]{16}"));
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["reason"], "HostTaken");
  EXPECT_EQ(event["action"], "Refuse");
  EXPECT_EQ(event["note"], kTaken.message);
  EXPECT_EQ(event["reportingController"], "kernelgate.io/ingress");
  EXPECT_EQ(event["reportingInstance"], "pod-1_0123");
  EXPECT_EQ(event["regarding"], (Json{{"apiVersion", "networking.k8s.io/v1"},
                                      {"kind", "Ingress"},
                                      {"namespace", "analytics"},
                                      {"name", "jeg"},
                                      {"uid", "uid-1"}}));
  // The same again is no other one; what is new beside it is.
  answer("201 Created");
  judge({kTaken, {Severity::kNote, "Worth", "knowing"}});
  run_until_written(2);
  EXPECT_THAT(api.requests, SizeIs(2));
  EXPECT_EQ(body_of(1)["type"], "Normal");
  // Well again, which is told once.
  answer("201 Created");
  judge({{Severity::kWarning, "Left", "over"}});
  judge({});
  run_until_written(3);
  EXPECT_EQ(body_of(2)["reason"], "Resolved");
  EXPECT_EQ(body_of(2)["type"], "Normal");
  judge({});
  EXPECT_EQ(writer.waiting(), 0U);
}

TEST_F(EventWriterTest, OneThatIsThereAlreadyIsCounted) {
  writer.set_leading(true);
  answer("409 Conflict", kube::status_of(409, "exists").dump());
  answer("200 OK",
         R"({"series": {"count": 4, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}})");
  answer("200 OK");
  judge({kTaken});
  run_until_written(2);
  const std::string name = body_of(0)["metadata"]["name"];
  EXPECT_EQ(line_of(1), "GET /apis/events.k8s.io/v1/namespaces/analytics/events/" + name);
  EXPECT_EQ(line_of(2), "PATCH /apis/events.k8s.io/v1/namespaces/analytics/events/" + name);
  EXPECT_THAT(api.requests[2], HasSubstr("Content-Type: application/merge-patch+json"));
  EXPECT_EQ(body_of(2)["series"]["count"], 5);
}

TEST_F(EventWriterTest, ABusyServerHearsItLater) {
  writer.set_leading(true);
  answer("503 Service Unavailable");
  answer("429 Too Many Requests");
  answer("201 Created");
  judge({kTaken});
  run_until_written(1);
  EXPECT_EQ(writer.counts().retried, 2U);
  EXPECT_EQ(body_of(0)["metadata"]["name"], body_of(2)["metadata"]["name"]);
}

TEST_F(EventWriterTest, AnObjectThatChangesAllTheTimeIsHeldBack) {
  writer.set_leading(true);
  std::vector<Finding> many;
  many.reserve(40);
  for (int i = 0; i < 40; ++i) many.push_back({Severity::kError, "Wrong", std::to_string(i)});
  judge(many);
  EXPECT_EQ(writer.waiting(), kEventsAtOnce);
  judge({kTaken});
  EXPECT_EQ(writer.waiting(), kEventsAtOnce);
  judge({kTaken}, {Kind::kIngress, {"science", "jeg"}});
  EXPECT_EQ(writer.waiting(), kEventsAtOnce + 1U);
  uid = "uid-2";  // nor does another one of its name make room
  judge({kTaken});
  EXPECT_EQ(writer.waiting(), kEventsAtOnce + 1U);
}

TEST_F(EventWriterTest, NothingIsSaidByAStandbyOrOfAnothersObject) {
  judge({kTaken});
  EXPECT_EQ(writer.waiting(), 0U);
  writer.set_leading(true);
  uid = "";
  judge({kTaken});
  EXPECT_EQ(writer.waiting(), 0U);
  uid = "uid-1";
  judge({kTaken});
  EXPECT_EQ(writer.waiting(), 1U);
  uid = "";  // it left our class before its turn came
  answer("201 Created");
  const ObjectRef map{Kind::kConfigMap, {"platform", "parameters"}};
  findings[map] = {kTaken};
  run_until([&] { return writer.waiting() == 0; });
  EXPECT_THAT(api.requests, SizeIs(0));
  uid = "uid-1";
  judge({kTaken});
  writer.set_leading(false);
  EXPECT_EQ(writer.waiting(), 0U);
}

TEST_F(EventWriterTest, ANoteIsCutBetweenCharactersAndAnObjectWithoutNamespaceHasAPlace) {
  writer.set_leading(true);
  answer("201 Created");
  std::string message(kEventNoteBytesMax - 1, 'x');
  judge({{Severity::kWarning, "Long", message + "\u00e4"}},
        {Kind::kIngressClass, {"", std::string(230, 'c')}});
  run_until_written(1);
  EXPECT_EQ(body_of(0)["note"], message);
  EXPECT_EQ(body_of(0)["metadata"]["namespace"], "default");
  EXPECT_FALSE(body_of(0)["regarding"].contains("namespace"));
  EXPECT_LE(body_of(0)["metadata"]["name"].get<std::string>().size(), 253U);
}

}  // namespace kg::controller::event_writer_test
