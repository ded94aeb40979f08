#include "proxy/upstream/kernel_lists.h"

#include <gmock/gmock.h>

#include "gateway_script.h"

namespace kg::upstream {
namespace {

using testing::HasSubstr;

const std::string kOne = "11111111-1111-4111-8111-111111111111";
const std::string kTwo = "22222222-2222-4222-8222-222222222222";

std::string answer_with(const std::string& body, const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}
std::string list_of(const std::vector<std::string>& ids) {
  std::string body = "[";
  for (const std::string& id : ids) {
    body += std::string(body.size() > 1 ? "," : "") + R"({"id":")" + id + R"("})";
  }
  return body + "]";
}

std::string answer_with_list(const std::vector<std::string>& ids) {
  return answer_with(list_of(ids));
}

struct Reader final : KernelListWaiter {
  void on_kernel_list(const Result<KernelListRef>& list) override {
    ++told;
    if (list) {
      body = (*list)->body;
    } else {
      error = list.error().code;
    }
    if (then) then();
  }
  int told = 0;
  std::string body;
  std::optional<ErrorCode> error;
  std::function<void()> then;
};

class KernelListsTest : public GatewayTest {
 protected:
  KernelListsTest() {
    endpoint_.pod = pod_;
    endpoint_.gateway_token = Secret("gateway-token");
    endpoint_.path_prefix = "/abc";
    gateway_.answer = answer_with_list({kOne});
  }
  // Whether `reader` has to wait.
  bool get(KernelLists& lists, Reader& reader) {
    const Result<KernelListRef> list = lists.get(reader);
    if (!list) {
      reader.error = list.error().code;
    } else if (*list != nullptr) {
      reader.body = (*list)->body;
    }
    return list && *list == nullptr;
  }
  std::optional<ErrorCode> error_after(const std::string& answer) {
    KernelLists lists(loop_, pool_, endpoint_);
    Reader reader;
    gateway_.answer = answer;
    EXPECT_TRUE(get(lists, reader));
    EXPECT_TRUE(run_until([&] { return reader.told == 1; }));
    return reader.error;
  }
  size_t requests() {  // each answered on a connection of its own or the same
    return opened() + reused();
  }
  routing::Endpoint endpoint_;
};

TEST_F(KernelListsTest, AsksWithTheEndpointsToken) {
  gateway_.answer.clear();
  KernelLists lists(loop_, pool_, endpoint_);
  Reader reader;
  EXPECT_TRUE(get(lists, reader));
  ASSERT_TRUE(run_until([&] {
    return gateway_.peers.size() == 1 &&
           gateway_.peers[0]->inbox.find("\r\n\r\n") != std::string::npos;
  }));
  const std::string& request = gateway_.peers[0]->inbox;
  EXPECT_THAT(request, testing::StartsWith("GET /api/kernels HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(request, HasSubstr("\r\nAuthorization: token gateway-token\r\n"));
  gateway_.say(0, answer_with_list({kTwo, kOne}));
  ASSERT_TRUE(run_until([&] { return reader.told == 1; }));
  EXPECT_EQ(reader.body, list_of({kTwo, kOne}));
}

TEST_F(KernelListsTest, OneListInFlightServesAllAndThenForAWhile) {
  KernelLists lists(loop_, pool_, endpoint_);
  Reader first, second, third;
  EXPECT_TRUE(get(lists, first));
  EXPECT_TRUE(get(lists, second));
  ASSERT_TRUE(run_until([&] { return first.told == 1 && second.told == 1; }));
  EXPECT_FALSE(get(lists, third)) << "at once";
  EXPECT_EQ(third.body, list_of({kOne}));
  EXPECT_EQ(requests(), 1U);
}

TEST_F(KernelListsTest, AListFromBeforeAChangeIsNotShared) {
  KernelLists lists(loop_, pool_, endpoint_);
  Reader before, after, later;
  EXPECT_TRUE(get(lists, before));
  endpoint_.kernel_changes->note();
  after.then = [&] { EXPECT_EQ(before.told, 1); };
  before.then = [&] { gateway_.answer = answer_with_list({kOne, kTwo}); };
  EXPECT_TRUE(get(lists, after)) << "the one in flight may not know of the change";
  ASSERT_TRUE(run_until([&] { return after.told == 1; }));
  EXPECT_EQ(before.body, list_of({kOne}));
  EXPECT_EQ(after.body, list_of({kOne, kTwo}));
  endpoint_.kernel_changes->note();
  EXPECT_TRUE(get(lists, later));
  ASSERT_TRUE(run_until([&] { return later.told == 1; }));
  EXPECT_EQ(requests(), 3U);
}

TEST_F(KernelListsTest, WhoCancelledIsNotTold) {
  KernelLists lists(loop_, pool_, endpoint_);
  Reader first, second, third;
  EXPECT_TRUE(get(lists, first));
  EXPECT_TRUE(get(lists, second));
  EXPECT_TRUE(get(lists, third));
  lists.cancel(first);
  second.then = [&] { lists.cancel(third); };
  ASSERT_TRUE(run_until([&] { return second.told == 1; }));
  run_turns();
  EXPECT_EQ(first.told + third.told, 0);
}

TEST_F(KernelListsTest, WhoIsToldOfAnErrorMayAskAgain) {
  KernelLists lists(loop_, pool_, endpoint_);
  Reader reader;
  gateway_.answer = answer_with("{}", "403 Forbidden");
  reader.then = [&] {
    gateway_.answer = answer_with_list({kTwo});
    if (reader.told == 1) {
      EXPECT_TRUE(get(lists, reader));
    }
  };
  EXPECT_TRUE(get(lists, reader));
  ASSERT_TRUE(run_until([&] { return reader.told == 2; }));
  EXPECT_EQ(reader.error, ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(reader.body, list_of({kTwo}));
}

TEST_F(KernelListsTest, AnotherStatusIsAnError) {
  EXPECT_EQ(error_after(answer_with("{}", "403 Forbidden")), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(error_after(answer_with("", "204 No Content")), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(error_after("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
            ErrorCode::kUpstreamProtocol);
}

TEST_F(KernelListsTest, ATooLongListIsAnError) {
  const std::string body(limits::kListBytesMax + 1, ' ');
  KernelLists lists(loop_, pool_, endpoint_);
  Reader reader;
  gateway_.answer.clear();
  EXPECT_TRUE(get(lists, reader));
  ASSERT_TRUE(run_until([&] { return gateway_.peers.size() == 1; }));
  event::Socket& socket = gateway_.peers[0]->socket;
  const std::string answer = answer_with(body);
  size_t sent = 0;
  ASSERT_TRUE(run_until([&] {
    sent += event::send_all_it_takes(socket, std::string_view(answer).substr(sent));
    return reader.told == 1;
  }));
  EXPECT_EQ(reader.error, ErrorCode::kUpstreamProtocol);
}

TEST_F(KernelListsTest, AClosedConnectionIsTriedOnceMore) {
  exchange();  // leaves an idle connection
  KernelLists lists(loop_, pool_, endpoint_);
  Reader reader;
  gateway_.answer.clear();
  EXPECT_TRUE(get(lists, reader));
  gateway_.hang_up(0);
  gateway_.answer = answer_with_list({kOne});
  ASSERT_TRUE(run_until([&] { return reader.told == 1; }));
  EXPECT_EQ(reader.body, list_of({kOne}));
}

TEST_F(KernelListsTest, WaitsInThePoolsQueue) {
  pod_.limits.active_max = 1;
  gateway_.answer.clear();
  Caller caller(pool_);
  ASSERT_TRUE(caller.ask());
  {
    KernelLists lists(loop_, pool_, endpoint_);
    Reader reader;
    EXPECT_TRUE(get(lists, reader));
    caller.give_back(false);
    gateway_.answer = answer_with_list({kOne});
    ASSERT_TRUE(run_until([&] { return reader.told == 1; }));
    EXPECT_EQ(reader.body, list_of({kOne}));
  }
  gateway_.answer.clear();
  ASSERT_TRUE(caller.ask());
  KernelLists queued(loop_, pool_, endpoint_);
  Reader nobody;
  EXPECT_TRUE(get(queued, nobody));
  queued.cancel(nobody);  // and dies in the queue
  caller.give_back(false);
}

}  // namespace
}  // namespace kg::upstream
