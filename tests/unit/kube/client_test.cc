#include "routing/controller/kube/client.h"

#include "tests/unit/kube/kube_fixture.h"

namespace kg::kube::client_test {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ClientTest : public KubeTest {
 protected:
  std::unique_ptr<Call> send(CallRequest request) {
    return client.send(std::move(request), [this](const Reply& got) { replies.push_back(got); });
  }
  Reply reply_to(CallRequest request) {
    const std::unique_ptr<Call> call = send(std::move(request));
    EXPECT_THAT(replies, IsEmpty());
    run_until([&] { return !replies.empty(); });
    Reply reply = std::move(replies.front());
    replies.clear();
    return reply;
  }

  std::vector<Reply> replies;
};

TEST_F(ClientTest, EachVerbGoesUpWithItsBodyAndType) {
  const std::pair<fetch::Method, std::string> verbs[] = {{fetch::Method::kPost, "POST"},
                                                         {fetch::Method::kPut, "PUT"},
                                                         {fetch::Method::kPatch, "PATCH"}};
  for (const auto& [method, name] : verbs) {
    api.answers.push_back(answer_of("201 Created", "{\"a\":1}"));
    CallRequest request;
    request.method = method;
    request.target = "/apis/coordination.k8s.io/v1/namespaces/a/leases/l?fieldManager=kernelgate";
    request.content_type = "application/merge-patch+json";
    request.body = Secret("{\"b\":2}");
    const Reply reply = reply_to(std::move(request));
    EXPECT_TRUE(reply.ok()) << reply.problem;
    EXPECT_EQ(reply.status, 201);
    EXPECT_EQ(reply.body, "{\"a\":1}");
    EXPECT_THAT(api.requests.back(), testing::StartsWith(name + " /apis/coordination.k8s.io/"));
    EXPECT_THAT(api.requests.back(), HasSubstr("\r\nContent-Type: application/merge-patch+json\r"));
    EXPECT_THAT(api.requests.back(), Not(HasSubstr("form-urlencoded")));
    EXPECT_THAT(api.requests.back(), testing::EndsWith("\r\n\r\n{\"b\":2}"));
  }
}

TEST_F(ClientTest, NoAnswerBeforeTheDeadlineIsATimeout) {
  const Reply reply = reply_to(get("/slow", 20));
  EXPECT_EQ(reply.failure, fetch::Failure::kTimeout);
  EXPECT_EQ(reply.status, 0);
  EXPECT_THAT(reply.problem, HasSubstr("before the deadline"));
}

TEST_F(ClientTest, AnAnswerIsBounded) {
  api.answers.push_back(answer_of("200 OK", std::string(101, 'x')));
  CallRequest request = get("/large");
  request.answer_bytes_max = 100;
  EXPECT_EQ(reply_to(std::move(request)).failure, fetch::Failure::kTooLarge);
}

TEST_F(ClientTest, ACallThatIsDestroyedSaysNoMore) {
  api.answers.push_back(answer_of("200 OK", ""));
  std::unique_ptr<Call> first = send(get("/first"));
  first.reset();
  EXPECT_EQ(client.open_calls(), 0U);
  EXPECT_TRUE(reply_to(get("/second")).ok());
  EXPECT_THAT(replies, IsEmpty());
}

TEST_F(ClientTest, OneCallTooManyIsToldSoInALaterTurn) {
  std::vector<std::unique_ptr<Call>> calls;
  for (size_t i = 0; i < kCallsMax; ++i) {
    calls.push_back(send(get("/")));
    calls.back()->cancel();  // it counts until it is gone
  }
  EXPECT_EQ(reply_to(get("/")).failure, fetch::Failure::kBusy);
}

class StreamTest : public ClientTest, public StreamHandler {
 protected:
  void on_stream_open() override { ++opened; }
  void on_stream_bytes(std::string_view bytes) override {
    got += bytes;
    // As of a turn of its own: calls may come and go here.
    const std::unique_ptr<Call> other = send(get("/within"));
    if (got == "stop") {
      call->cancel();
      loop.defer_delete(std::move(call));
    }
  }

  int opened = 0;
  std::string got;
  std::unique_ptr<Call> call;
};

TEST_F(StreamTest, AWatchEndsWhereItsHandlerSaysSo) {
  call = client.watch(get("/watch", 20'000), *this,
                      [this](const Reply& reply) { replies.push_back(reply); });
  run_until([&] { return api.requests.size() == 1; });
  api.open_watch();
  run_until([&] { return opened == 1; });
  api.say("stop");
  run_until([&] { return client.open_calls() == 0; });
  EXPECT_EQ(got, "stop");
  EXPECT_THAT(replies, IsEmpty());
}

TEST_F(StreamTest, AWatchThatLivesTooLongIsCutOff) {
  call = client.watch(get("/watch", 30), *this,
                      [this](const Reply& reply) { replies.push_back(reply); });
  run_until([&] { return api.requests.size() == 1; });
  api.open_watch();
  run_until([&] { return !replies.empty(); });
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(replies.front().failure, fetch::Failure::kTimeout);
}

}  // namespace kg::kube::client_test
