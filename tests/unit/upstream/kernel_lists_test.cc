#include "proxy/upstream/kernel_lists.h"

#include <gmock/gmock.h>

#include "gateway_script.h"
#include "proxy/upstream/local_pod.h"

namespace kg::upstream::kernel_lists_test {

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

std::vector<std::string> ids_of(const PodListRef& list) {
  std::vector<std::string> ids;
  for (const kernel::ListedKernel& kernel : list->kernels.kernels()) ids.emplace_back(kernel.id);
  return ids;
}

struct Reader final : KernelListWaiter {
  void on_kernel_list(const Result<PodListRef>& list) override {
    ++told;
    if (list) {
      ids = ids_of(*list);
    } else {
      error = list.error().code;
    }
    if (then) then();
  }
  int told = 0;
  std::vector<std::string> ids;
  std::optional<ErrorCode> error;
  std::function<void()> then;
};

class KernelListsTest : public GatewayTest {
 protected:
  KernelListsTest() {
    endpoint_.pods = {pod_};
    endpoint_.gateway_token = Secret("gateway-token");
    endpoint_.path_prefix = "/abc";
    gateway_.answer = answer_with_list({kOne});
    local_.emplace(loop_, metrics_, counters_, endpoint_, endpoint_.pods[0], 0);
  }
  KernelLists& lists() { return local_->lists; }
  // Whether `reader` has to wait.
  bool get(Reader& reader) {
    const Result<PodListRef> list = lists().get(reader);
    if (!list) {
      reader.error = list.error().code;
    } else if (*list != nullptr) {
      reader.ids = ids_of(*list);
    }
    return list && *list == nullptr;
  }
  std::optional<ErrorCode> error_after(const std::string& answer) {
    Reader reader;
    gateway_.answer = answer;
    EXPECT_TRUE(get(reader));
    EXPECT_TRUE(run_until([&] { return reader.told == 1; }));
    return reader.error;
  }
  // Nothing that came before is shared.
  std::optional<ErrorCode> error_after_change(const std::string& answer) {
    endpoint_.kernel_changes->note();
    return error_after(answer);
  }
  size_t requests() {  // each answered on a connection of its own or the same
    return opened() + reused();
  }
  using Ids = std::vector<std::string>;
  routing::Endpoint endpoint_;
  std::optional<LocalPod> local_;
};

TEST_F(KernelListsTest, AsksWithTheEndpointsToken) {
  gateway_.answer.clear();
  Reader reader;
  EXPECT_TRUE(get(reader));
  ASSERT_TRUE(run_until([&] {
    return gateway_.peers.size() == 1 &&
           gateway_.peers[0]->inbox.find("\r\n\r\n") != std::string::npos;
  }));
  const std::string& request = gateway_.peers[0]->inbox;
  EXPECT_THAT(request, testing::StartsWith("GET /api/kernels HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(request, HasSubstr("\r\nAuthorization: token gateway-token\r\n"));
  gateway_.say(0, answer_with_list({kTwo, kOne}));
  ASSERT_TRUE(run_until([&] { return reader.told == 1; }));
  EXPECT_EQ(reader.ids, (Ids{kTwo, kOne}));
}

TEST_F(KernelListsTest, OneListInFlightServesAllAndThenForAWhile) {
  Reader first, second, third;
  EXPECT_TRUE(get(first));
  EXPECT_TRUE(get(second));
  ASSERT_TRUE(run_until([&] { return first.told == 1 && second.told == 1; }));
  EXPECT_FALSE(get(third)) << "at once";
  EXPECT_EQ(third.ids, (Ids{kOne}));
  EXPECT_EQ(requests(), 1U);
}

TEST_F(KernelListsTest, AListFromBeforeAChangeIsNotShared) {
  Reader before, after, later;
  EXPECT_TRUE(get(before));
  endpoint_.kernel_changes->note();
  after.then = [&] { EXPECT_EQ(before.told, 1); };
  before.then = [&] { gateway_.answer = answer_with_list({kOne, kTwo}); };
  EXPECT_TRUE(get(after)) << "the one in flight may not know of the change";
  ASSERT_TRUE(run_until([&] { return after.told == 1; }));
  EXPECT_EQ(before.ids, (Ids{kOne}));
  EXPECT_EQ(after.ids, (Ids{kOne, kTwo}));
  endpoint_.kernel_changes->note();
  EXPECT_TRUE(get(later));
  ASSERT_TRUE(run_until([&] { return later.told == 1; }));
  EXPECT_EQ(requests(), 3U);
}

TEST_F(KernelListsTest, WhoCancelledIsNotTold) {
  Reader first, second, third;
  EXPECT_TRUE(get(first));
  EXPECT_TRUE(get(second));
  EXPECT_TRUE(get(third));
  lists().cancel(first);
  second.then = [&] { lists().cancel(third); };
  ASSERT_TRUE(run_until([&] { return second.told == 1; }));
  run_turns();
  EXPECT_EQ(first.told + third.told, 0);
}

TEST_F(KernelListsTest, WhoIsToldOfAnErrorMayAskAgain) {
  Reader reader;
  gateway_.answer = answer_with("{}", "403 Forbidden");
  reader.then = [&] {
    gateway_.answer = answer_with_list({kTwo});
    if (reader.told == 1) {
      EXPECT_TRUE(get(reader));
    }
  };
  EXPECT_TRUE(get(reader));
  ASSERT_TRUE(run_until([&] { return reader.told == 2; }));
  EXPECT_EQ(reader.error, ErrorCode::kListRefused);
  EXPECT_EQ(reader.ids, (Ids{kTwo}));
}

TEST_F(KernelListsTest, AnotherStatusIsAnError) {
  EXPECT_EQ(error_after(answer_with("{}", "403 Forbidden")), ErrorCode::kListRefused);
  EXPECT_EQ(error_after(answer_with("{}", "401 Unauthorized")), ErrorCode::kUpstreamToken);
  EXPECT_EQ(error_after(answer_with("", "204 No Content")), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(error_after(answer_with("{}", "500 Internal Server Error")),
            ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(error_after("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
            ErrorCode::kUpstreamProtocol);
}

TEST_F(KernelListsTest, AListThatCannotBeJudgedIsAnError) {
  EXPECT_EQ(error_after(answer_with("{}")), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(error_after(answer_with("[{}]")), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(error_after("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]"),
            ErrorCode::kUpstreamProtocol);
}

TEST_F(KernelListsTest, TheLastOneIsKnownForAWhile) {
  endpoint_.list_stale_ms = 40;
  Reader reader;
  EXPECT_EQ(lists().last_known(), nullptr);
  EXPECT_TRUE(get(reader));
  ASSERT_TRUE(run_until([&] { return reader.told == 1; }));
  EXPECT_NE(lists().last_known(), nullptr);
  EXPECT_EQ(error_after_change(answer_with("{}", "500 Oh")), ErrorCode::kUpstreamProtocol);
  ASSERT_NE(lists().last_known(), nullptr) << "a failure takes nothing away";
  EXPECT_EQ(ids_of(lists().last_known()), Ids{kOne});
  EXPECT_TRUE(run_until([&] { return lists().last_known() == nullptr; }));
}

TEST_F(KernelListsTest, AListFromBeforeARestartIsNotShared) {
  Reader before, after;
  EXPECT_TRUE(get(before));
  ASSERT_TRUE(run_until([&] { return before.told == 1; }));
  endpoint_.pods[0].facts->suspect_restart();
  EXPECT_TRUE(get(after));
  ASSERT_TRUE(run_until([&] { return after.told == 1; }));
  EXPECT_EQ(requests(), 2U);
}

TEST_F(KernelListsTest, TellsHowLongItIsWaitedFor) {
  gateway_.answer.clear();
  Reader reader;
  EXPECT_EQ(lists().waited_us(), 0U);
  EXPECT_TRUE(get(reader));
  EXPECT_TRUE(run_until([&] { return lists().waited_us() >= 5'000; }));
  lists().cancel(reader);
}

TEST_F(KernelListsTest, ATooLongListIsAnError) {
  const std::string body(limits::kListBytesMax + 1, ' ');
  Reader reader;
  gateway_.answer.clear();
  EXPECT_TRUE(get(reader));
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
  Reader first, second;
  EXPECT_TRUE(get(first));  // leaves an idle connection
  ASSERT_TRUE(run_until([&] { return first.told == 1; }));
  endpoint_.kernel_changes->note();
  gateway_.answer.clear();
  EXPECT_TRUE(get(second));
  gateway_.hang_up(0);
  gateway_.answer = answer_with_list({kTwo});
  ASSERT_TRUE(run_until([&] { return second.told == 1; }));
  EXPECT_EQ(second.ids, Ids{kTwo});
}

TEST_F(KernelListsTest, WaitsInThePoolsQueue) {
  endpoint_.pods[0].limits.active_max = 1;
  gateway_.answer.clear();
  Caller caller(local_->pool);
  ASSERT_TRUE(caller.ask());
  Reader reader;
  EXPECT_TRUE(get(reader));
  caller.give_back(false);
  gateway_.answer = answer_with_list({kOne});
  ASSERT_TRUE(run_until([&] { return reader.told == 1; }));
  EXPECT_EQ(reader.ids, Ids{kOne});
  gateway_.answer.clear();
  ASSERT_TRUE(caller.ask());
  endpoint_.kernel_changes->note();
  Reader nobody;
  EXPECT_TRUE(get(nobody));
  lists().cancel(nobody);
  caller.give_back(false);
  local_.reset();  // and dies in the queue, or under way
}

}  // namespace kg::upstream::kernel_lists_test
