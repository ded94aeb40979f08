#include "proxy/exchange/kernel_activity.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "proxy/base/limits.h"
#include "tests/unit/exchange/relay_fixture.h"
#include "tests/unit/kernel/message_samples.h"

namespace kg::exchange::kernel_activity_test {

namespace samples = kernel::samples;
using kernel::Framing;
using metrics::KernelState;

constexpr size_t kIopub = static_cast<size_t>(kernel::Channel::kIopub);
constexpr size_t kShell = static_cast<size_t>(kernel::Channel::kShell);
constexpr size_t kUnread = metrics::kMessageChannels - 1;

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  for (size_t at = out.find(from); at != std::string::npos; at = out.find(from, at + to.size())) {
    out.replace(at, from.size(), to);
  }
  return out;
}

std::string id_of(std::string_view legacy, const char* header) {
  return nlohmann::json::parse(legacy)[header]["msg_id"].get<std::string>();
}

class KernelActivityTest : public testing::TestWithParam<Framing> {
 protected:
  // One frame with a real mask from the client.
  std::string framed(std::string_view legacy, bool of_client) const {
    const bool v1 = GetParam() == Framing::kV1;
    std::string out =
        frame(v1 ? 0x2 : 0x1, v1 ? samples::v1(legacy) : std::string(legacy), of_client);
    if (!of_client) return out;
    const size_t at = out.size() < 126 + 6 ? 6 : 8;
    const std::string_view key = "\x11\xf2\x83\x54";
    out.replace(at - 4, 4, key);
    for (size_t i = at; i < out.size(); ++i) {
      out[i] = static_cast<char>(out[i] ^ key[(i - at) % 4]);
    }
    return out;
  }
  void pass(websocket::FrameScanner& frames, std::string_view bytes, bool of_client) {
    while (!bytes.empty()) {
      const size_t used = frames.scan_frame(bytes);
      if (of_client) {
        activity_.client_said(bytes.substr(0, used), frames, now_us_);
      } else {
        activity_.gateway_said(bytes.substr(0, used), frames, now_us_);
      }
      bytes.remove_prefix(used);
    }
  }
  void asks(std::string_view legacy) { pass(client_, framed(legacy, true), true); }
  void says(std::string_view legacy) { pass(gateway_, framed(legacy, false), false); }
  // The samples are of several cells: the same for all here.
  static std::string of_cell(std::string_view legacy, const std::string& cell) {
    return replaced(legacy, id_of(legacy, "parent_header"), cell);
  }
  uint64_t seen(size_t channel) const { return counters_.kernel_messages[channel].get(); }
  static uint64_t count(const metrics::Histogram& histogram) {
    uint64_t sum = 0;
    for (size_t i = 0; i <= metrics::kLatencyBoundsUs.size(); ++i) sum += histogram.bucket(i);
    return sum;
  }

  uint64_t now_us_ = 1'000'000;
  metrics::EndpointMetrics counters_;
  metrics::CellMetrics times_;
  KernelActivity activity_{GetParam(), true, counters_, times_};
  websocket::FrameScanner client_;
  websocket::FrameScanner gateway_;
  const std::string cell_ = id_of(samples::kExecuteRequest, "header");
};
INSTANTIATE_TEST_SUITE_P(Framings, KernelActivityTest,
                         testing::Values(Framing::kLegacy, Framing::kV1));

TEST_P(KernelActivityTest, ACellFromItsRequestToItsReply) {
  EXPECT_EQ(activity_.state(), KernelState::kUnknown);
  EXPECT_FALSE(activity_.idle());
  for (int round = 1; round <= 3; ++round) {  // the first is looked at, the others known by shape
    const uint64_t asked_us = now_us_;
    asks(samples::kExecuteRequest);
    EXPECT_EQ(activity_.last_human_us(), asked_us);
    EXPECT_EQ(activity_.cells_in_flight(), 1U);
    now_us_ += 1'000;
    says(of_cell(samples::kBusy, cell_));
    EXPECT_EQ(activity_.state(), KernelState::kBusy);
    says(of_cell(samples::kExecuteInput, cell_));
    EXPECT_EQ(count(times_.first_output), static_cast<uint64_t>(round - 1));
    now_us_ += 1'000;
    says(of_cell(samples::kStream, cell_));
    says(of_cell(samples::kStream, cell_));
    says(of_cell(samples::kExecuteResult, cell_));
    now_us_ += 3'000;
    says(of_cell(samples::kIdle, cell_));
    EXPECT_EQ(activity_.state(), KernelState::kIdle);
    EXPECT_FALSE(activity_.idle()) << "the reply is still to come";
    says(of_cell(samples::kExecuteReply, cell_));
    EXPECT_TRUE(activity_.idle());
    EXPECT_EQ(count(times_.first_output), static_cast<uint64_t>(round));
    EXPECT_EQ(times_.first_output.sum_us(), 2'000U * static_cast<uint64_t>(round));
    EXPECT_EQ(times_.reply.sum_us(), 5'000U * static_cast<uint64_t>(round));
    EXPECT_EQ(activity_.last_human_us(), asked_us);
    EXPECT_EQ(activity_.last_message_us(), now_us_);
  }
  EXPECT_EQ(seen(kShell), 6U);
  EXPECT_EQ(seen(kIopub), 18U);
  EXPECT_EQ(seen(kUnread), 0U);
}

// The same messages whole, most of them known by their shape, and in two reads, when each has to be
// looked at.
TEST_P(KernelActivityTest, KnownByShapeIsWhatLookingFinds) {
  // Not on the stack, which the address sanitizer does not align as they want.
  const auto others = std::make_unique<metrics::EndpointMetrics>();
  const metrics::EndpointMetrics& counters = *others;
  metrics::CellMetrics times;
  KernelActivity looks(GetParam(), true, *others, times);
  websocket::FrameScanner frames[2];
  const std::string_view said[] = {
      samples::kBusy,     samples::kExecuteInput, samples::kStream,       samples::kExecuteResult,
      samples::kStream,   samples::kExecuteReply, samples::kInputRequest, samples::kIdle,
      samples::kCommOpen, samples::kStream};
  uint64_t random = 7;
  for (int i = 0; i < 600; ++i) {
    random = random * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    const bool of_client = random >> 61 == 0;
    const std::string cell = "x" + std::to_string(random >> 20 & 15) + cell_.substr(8);
    std::string message = replaced(samples::kExecuteRequest, cell_, cell);
    if (of_client && (random >> 40 & 3) == 0) message = samples::kInputReply;
    if (!of_client) message = of_cell(said[(random >> 32) % std::size(said)], cell);
    if ((random >> 50 & 7) == 0) message = replaced(message, "_6", "_10006");
    if ((random >> 50 & 7) == 1) message = replaced(message, "\"stream\"", "\"clear_output\"");
    const std::string bytes = framed(message, of_client);
    pass(of_client ? client_ : gateway_, bytes, of_client);
    for (const std::string_view part : {std::string_view(bytes).substr(0, 1 + random % 200),
                                        std::string_view(bytes).substr(1 + random % 200)}) {
      EXPECT_EQ(frames[of_client].scan_frame(part), part.size());
      of_client ? looks.client_said(part, frames[1], now_us_)
                : looks.gateway_said(part, frames[0], now_us_);
    }
    ASSERT_EQ(activity_.state(), looks.state()) << message;
    ASSERT_EQ(activity_.cells_in_flight(), looks.cells_in_flight()) << message;
    ASSERT_EQ(activity_.last_human_us(), looks.last_human_us());
    ASSERT_EQ(activity_.last_message_us(), looks.last_message_us());
    for (size_t channel = 0; channel < metrics::kMessageChannels; ++channel) {
      ASSERT_EQ(seen(channel), counters.kernel_messages[channel].get()) << message;
    }
    now_us_ += random >> 54;
  }
  EXPECT_GT(count(times.reply), 10U);
  EXPECT_EQ(count(times_.first_output), count(times.first_output));
  EXPECT_EQ(times_.first_output.sum_us(), times.first_output.sum_us());
  EXPECT_EQ(times_.reply.sum_us(), times.reply.sum_us());
  EXPECT_EQ(counters_.comm_messages.get(), counters.comm_messages.get());
  EXPECT_EQ(counters_.input_requests.get(), counters.input_requests.get());
}

TEST_P(KernelActivityTest, OutputsOfOthersAreNotTheCells) {
  asks(samples::kExecuteRequest);
  for (int i = 0; i < 3; ++i) says(samples::kStream);
  EXPECT_EQ(count(times_.first_output), 0U);
  says(samples::kExecuteReply);
  EXPECT_EQ(activity_.cells_in_flight(), 0U) << "the sample's reply is this cell's";
}

TEST_P(KernelActivityTest, SplitAtEveryByte) {
  const std::string request = framed(samples::kExecuteRequest, true);
  const std::string busy = framed(samples::kBusy, false);
  uint64_t messages = 0;
  for (size_t at = 1; at < std::max(request.size(), busy.size()); ++at) {
    if (at < request.size()) {
      pass(client_, std::string(request.substr(0, at)), true);
      pass(client_, std::string(request.substr(at)), true);
      EXPECT_EQ(activity_.cells_in_flight(), 1U) << at;
    }
    if (at < busy.size()) {
      pass(gateway_, std::string(busy.substr(0, at)), false);
      pass(gateway_, std::string(busy.substr(at)), false);
      EXPECT_EQ(activity_.state(), KernelState::kBusy) << at;
      EXPECT_EQ(seen(kIopub), ++messages) << at;
    }
    says(replaced(samples::kIdle, "idle", "restarting"));  // forgets the cell
    says(samples::kIdle);
    messages += 2;
    EXPECT_TRUE(activity_.idle()) << at;
  }
  EXPECT_EQ(seen(kUnread), 0U);
}

TEST_P(KernelActivityTest, FragmentsByteForByteWithPingsBetween) {
  const bool v1 = GetParam() == Framing::kV1;
  const std::string payload = v1 ? samples::v1(samples::kIdle) : std::string(samples::kIdle);
  std::string bytes = frame(v1 ? 0x2 : 0x1, "", false);
  bytes[0] &= 0x7f;
  for (size_t i = 0; i < payload.size(); ++i) {
    std::string one = frame(0x0, payload.substr(i, 1), false);
    if (i + 1 < payload.size()) one[0] &= 0x7f;
    bytes += one + frame(0x9, "ping", false);
  }
  pass(gateway_, bytes, false);
  EXPECT_EQ(activity_.state(), KernelState::kIdle);
  EXPECT_EQ(seen(kIopub), 1U);
}

TEST_P(KernelActivityTest, ARestartForgetsCells) {
  asks(samples::kExecuteRequest);
  says(replaced(samples::kIdle, "\"idle\"", "\"restarting\""));
  EXPECT_EQ(activity_.cells_in_flight(), 0U);
  EXPECT_EQ(activity_.state(), KernelState::kBusy);
  says(samples::kIdle);
  EXPECT_TRUE(activity_.idle());
}

TEST_P(KernelActivityTest, MoreCellsThanAreFollowedAreStillInFlight) {
  const size_t most = limits::kCellsFollowedMax;
  const auto numbered = [this](size_t i) {
    std::string id = cell_;
    return id.replace(0, 8, std::to_string(10'000'000 + i));
  };
  for (size_t i = 0; i < most + 3; ++i) {
    asks(replaced(samples::kExecuteRequest, cell_, numbered(i)));
  }
  EXPECT_EQ(activity_.cells_in_flight(), most + 3);
  EXPECT_EQ(counters_.cells_unfollowed.get(), 3U);
  says(samples::kIdle);
  for (size_t i = 0; i < most + 3; ++i) {
    EXPECT_FALSE(activity_.idle());
    says(of_cell(samples::kExecuteReply, numbered(i)));
  }
  EXPECT_TRUE(activity_.idle());
  EXPECT_EQ(count(times_.reply), most);
}

TEST_P(KernelActivityTest, AReplyEndsTheCellsBeforeItToo) {
  asks(samples::kExecuteRequest);
  const std::string second = "x" + cell_.substr(1);
  asks(replaced(samples::kExecuteRequest, cell_, second));
  says(of_cell(samples::kExecuteReply, second));
  EXPECT_EQ(activity_.cells_in_flight(), 0U);
  EXPECT_EQ(count(times_.reply), 1U);
}

TEST_P(KernelActivityTest, WhatCannotBeReadIsCountedAndNothingElse) {
  KernelActivity deaf(GetParam(), false, counters_, times_);
  const std::string idle = framed(samples::kIdle, false);
  gateway_.scan_frame(idle);
  deaf.gateway_said(idle, gateway_, now_us_);
  EXPECT_EQ(deaf.state(), KernelState::kUnknown);
  std::string compressed = idle;
  compressed[0] = static_cast<char>(compressed[0] | 0x40);
  pass(gateway_, compressed, false);
  EXPECT_EQ(activity_.state(), KernelState::kUnknown);
  EXPECT_EQ(seen(kUnread), 2U);
  EXPECT_EQ(seen(kIopub), 0U);
}

TEST_P(KernelActivityTest, WhereFramesAreLostNothingIsKnown) {
  says(samples::kIdle);
  EXPECT_TRUE(activity_.idle());
  pass(gateway_, std::string("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10) + std::string(20, 'x'),
       false);
  EXPECT_EQ(activity_.state(), KernelState::kUnknown);
  EXPECT_FALSE(activity_.idle());
}

TEST_P(KernelActivityTest, ANewConnectionToTheGatewayGoesOn) {
  asks(samples::kExecuteRequest);
  pass(gateway_, framed(samples::kStream, false).substr(0, 100), false);
  gateway_ = {};
  activity_.connection_replaced();
  says(of_cell(samples::kStream, cell_));
  says(of_cell(samples::kExecuteReply, cell_));
  EXPECT_EQ(count(times_.first_output), 1U);
  EXPECT_EQ(count(times_.reply), 1U);
}

TEST_P(KernelActivityTest, HeadsBeyondTheWindowAreNotHeldLonger) {
  if (GetParam() == Framing::kV1) return;  // its heads come first
  const std::string long_code(limits::kPeekBytesMax, 'x');
  asks(replaced(samples::kExecuteRequest, "1+1", long_code));
  EXPECT_EQ(seen(kUnread), 1U);
  EXPECT_EQ(activity_.last_human_us(), now_us_) << "no heartbeat is so large";
}

TEST_P(KernelActivityTest, GaugesFollowStates) {
  const auto open = [this](KernelState state) {
    return counters_.kernels[static_cast<size_t>(state)].get();
  };
  EXPECT_EQ(open(KernelState::kUnknown), 1U);
  says(samples::kBusy);
  EXPECT_EQ(open(KernelState::kBusy), 1U);
  says(samples::kIdle);
  EXPECT_EQ(open(KernelState::kIdle), 1U);
  EXPECT_EQ(open(KernelState::kUnknown) + open(KernelState::kBusy), 0U);
}

}  // namespace kg::exchange::kernel_activity_test
