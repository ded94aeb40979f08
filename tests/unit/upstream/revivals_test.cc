#include "proxy/upstream/revivals.h"

#include <gmock/gmock.h>

#include "gateway_script.h"

namespace kg::upstream::revivals_test {

using testing::HasSubstr;

const std::string kOne = "11111111-1111-4111-8111-111111111111";
const std::string kTwo = "22222222-2222-4222-8222-222222222222";

std::string answer_with(const std::string& status) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n\r\n{}";
}

struct Waiter final : RevivalWaiter {
  void on_revival(const Result<void>& there) override {
    ++told;
    code = there ? ErrorCode::kNone : there.error().code;
    if (then) then();
  }
  int told = 0;
  ErrorCode code = ErrorCode::kInternal;
  std::function<void()> then;
};

class RevivalsTest : public GatewayTest {
 protected:
  RevivalsTest() {
    endpoint_.strip_prefix = false;
    endpoint_.path_prefix = "/base";
    endpoint_.gateway_token = Secret("gateway's");
  }
  ErrorCode code_after(const std::string& answer) {
    gateway_.answer = answer;
    Waiter waiter;
    EXPECT_TRUE(revivals_.ask(kOne, waiter).has_value());
    EXPECT_EQ(waiter.told, 0) << "not inside ask()";
    EXPECT_TRUE(run_until([&] { return waiter.told > 0; }));
    return waiter.code;
  }
  size_t requests() const {
    size_t count = 0;
    for (const auto& peer : gateway_.peers) {
      if (peer->inbox.find("\r\n\r\n") != std::string::npos) ++count;
    }
    return count;
  }
  routing::Endpoint endpoint_;
  Revivals revivals_{loop_, pool_, counters_, endpoint_, pod_};
};

TEST_F(RevivalsTest, AsksForTheKernelWithTheEndpointsToken) {
  gateway_.answer = "";
  Waiter waiter;
  ASSERT_TRUE(revivals_.ask(kOne, waiter).has_value());
  ASSERT_TRUE(run_until([&] { return requests() == 1; }));
  EXPECT_THAT(gateway_.peers[0]->inbox, HasSubstr("GET /base/api/kernels/" + kOne + " HTTP/1.1"));
  EXPECT_THAT(gateway_.peers[0]->inbox, HasSubstr("Authorization: token gateway's\r\n"));
  gateway_.say(0, answer_with("200 OK"));
  ASSERT_TRUE(run_until([&] { return waiter.told == 1; }));
  EXPECT_EQ(waiter.code, ErrorCode::kNone);
  EXPECT_EQ(counters_.kernel_revivals.get(), 1U);
}

TEST_F(RevivalsTest, SaysWhatTheAnswerMeans) {
  EXPECT_EQ(code_after(answer_with("200 OK")), ErrorCode::kNone);
  EXPECT_EQ(code_after(answer_with("404 Not Found")), ErrorCode::kNoKernel);
  EXPECT_EQ(code_after(answer_with("401 Unauthorized")), ErrorCode::kUpstreamToken);
  EXPECT_EQ(code_after(answer_with("500 Internal Server Error")), ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(opened(), 1U) << "each of them leaves a connection that is used again";
  EXPECT_EQ(
      code_after("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + std::string(99999, 'x')),
      ErrorCode::kUpstreamProtocol);
}

TEST_F(RevivalsTest, OneQuestionServesAllWhoWantTheKernel) {
  gateway_.answer = "";
  Waiter one;
  Waiter two;
  Waiter gone;
  ASSERT_TRUE(revivals_.ask(kOne, one).has_value());
  ASSERT_TRUE(revivals_.ask(kOne, two).has_value());
  ASSERT_TRUE(revivals_.ask(kOne, gone).has_value());
  revivals_.cancel(gone);
  ASSERT_TRUE(run_until([&] { return requests() > 0; }));
  run_turns();
  EXPECT_EQ(requests(), 1U);
  Waiter again;
  one.then = [&] { ASSERT_TRUE(revivals_.ask(kOne, again).has_value()); };
  gateway_.answer = answer_with("200 OK");
  ASSERT_TRUE(run_until([&] { return again.told == 1; }));
  EXPECT_EQ(one.told + two.told, 2);
  EXPECT_EQ(gone.told, 0);
}

TEST_F(RevivalsTest, AFewAtATime) {
  gateway_.answer = "";
  std::vector<Waiter> waiters(limits::kRevivalsAtATime + 3);
  for (size_t i = 0; i < waiters.size(); ++i) {
    ASSERT_TRUE(revivals_.ask("kernel-" + std::to_string(i), waiters[i]).has_value());
  }
  ASSERT_TRUE(run_until([&] { return requests() == limits::kRevivalsAtATime; }));
  run_turns();
  EXPECT_EQ(requests(), limits::kRevivalsAtATime);
  gateway_.answer = answer_with("200 OK");
  ASSERT_TRUE(run_until([&] {
    return std::all_of(waiters.begin(), waiters.end(), [](auto& w) { return w.told == 1; });
  }));
}

TEST_F(RevivalsTest, AClosedConnectionUnderItIsTriedOnceMore) {
  EXPECT_EQ(code_after(answer_with("200 OK")), ErrorCode::kNone);
  gateway_.answer = "";
  Waiter waiter;
  ASSERT_TRUE(revivals_.ask(kOne, waiter).has_value());
  ASSERT_TRUE(run_until([&] { return requests() == 1; }));
  gateway_.hang_up(0);
  ASSERT_TRUE(run_until([&] { return gateway_.peers.size() == 2 && requests() == 2; }));
  gateway_.hang_up(1);
  ASSERT_TRUE(run_until([&] { return waiter.told == 1; }));
  EXPECT_EQ(waiter.code, ErrorCode::kUpstreamReset);
}

TEST_F(RevivalsTest, MayDieWithQuestionsThatNobodyWaitsFor) {
  gateway_.answer = "";
  Waiter waiter;
  {
    Revivals dying(loop_, pool_, counters_, endpoint_, pod_);
    ASSERT_TRUE(dying.ask(kOne, waiter).has_value());
    ASSERT_TRUE(run_until([&] { return requests() == 1; }));
    ASSERT_TRUE(dying.ask(kTwo, waiter).has_value());
    dying.cancel(waiter);
  }
  run_turns();
  EXPECT_EQ(waiter.told, 0);
  EXPECT_EQ(open_now(), 0U);
}

}  // namespace kg::upstream::revivals_test
