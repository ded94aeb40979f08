// The reading half of Transport: bursts, gates, ends.
#include <gmock/gmock.h>
#include <unistd.h>

#include <memory>

#include "loop_support.h"
#include "proxy/base/limits.h"
#include "stream_support.h"

namespace kg::event::transport_read_test {

class TransportRead : public testing::Test {
 protected:
  TransportRead() {
    SocketPair pair = local_pair(1024 * 1024);
    peer_ = std::move(pair.peer);
    transport_.open(std::move(pair.ours));
  }
  void send_from_peer(std::string_view bytes) {
    ASSERT_EQ(send_all_it_takes(peer_, bytes), bytes.size());
  }

  EventLoop loop_;
  Recorder seen_;
  Socket peer_;
  Transport transport_{loop_, seen_, ErrorCode::kClientGone};
};

TEST_F(TransportRead, BytesArrive) {
  send_from_peer("hello");
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.data == "hello"; }));
  send_from_peer(" again");
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.data == "hello again"; }));
  EXPECT_EQ(seen_.ends, 0);
  EXPECT_EQ(seen_.connected, 0);
}

TEST_F(TransportRead, BurstsAreBoundedAndComeWithoutNewEdges) {
  size_t largest = 0;
  seen_.after_data = [&](std::string_view bytes) { largest = std::max(largest, bytes.size()); };
  const std::string sent = pattern(limits::kReadBurstBytes * 3 / 2);
  send_from_peer(sent);
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.data.size() == sent.size(); }));
  EXPECT_EQ(seen_.data, sent);
  EXPECT_EQ(largest, limits::kReadBurstBytes);
}

TEST_F(TransportRead, ABusyPeerLeavesOthersTheirTurn) {
  SocketPair pair = local_pair();
  Recorder other;
  Transport second(loop_, other, ErrorCode::kClientGone);
  second.open(std::move(pair.ours));
  const std::string chunk(limits::kReadBurstBytes, 'x');
  // The peer refills as fast as it is read, so one connection could read for ever.
  int bursts = 0;
  int bursts_before_other = 0;
  seen_.after_data = [&](std::string_view) {
    send_all_it_takes(peer_, chunk);
    if (++bursts == 1) send_all_it_takes(pair.peer, "me too");
  };
  other.after_data = [&](std::string_view) { bursts_before_other = bursts; };
  ASSERT_GT(send_all_it_takes(peer_, chunk + chunk), 0U);
  EXPECT_TRUE(run_until(loop_, [&] { return !other.data.empty(); }));
  // The turn of the first burst may end with its own continuation; the next one serves all.
  EXPECT_LE(bursts_before_other, 3 * limits::kReadsPerTurnMax);
  seen_.after_data = nullptr;
}

TEST_F(TransportRead, AGateStaysClosedUntilTheLastReasonIsGone) {
  transport_.pause(Pause::kPeerSlow);
  transport_.pause(Pause::kPipelined);
  send_from_peer("hello");
  run_turns(loop_);
  transport_.resume(Pause::kPeerSlow);
  transport_.resume(Pause::kConnecting);  // never closed for it
  run_turns(loop_);
  EXPECT_EQ(seen_.data, "");
  transport_.resume(Pause::kPipelined);
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.data == "hello"; }));
}

TEST_F(TransportRead, AReasonCountsOnce) {
  transport_.pause(Pause::kPeerSlow);
  transport_.pause(Pause::kPeerSlow);
  send_from_peer("hello");
  run_turns(loop_);
  transport_.resume(Pause::kPeerSlow);
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.data == "hello"; }));
}

TEST_F(TransportRead, AGateClosedInsideABurstKeepsTheRest) {
  seen_.after_data = [&](std::string_view) { transport_.pause(Pause::kPeerSlow); };
  const std::string sent = pattern(limits::kReadBurstBytes + 1);
  send_from_peer(sent);
  run_turns(loop_);
  EXPECT_EQ(seen_.data.size(), limits::kReadBurstBytes);
  transport_.resume(Pause::kPeerSlow);  // no edge will come
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.data.size() == sent.size(); }));
  EXPECT_EQ(seen_.data, sent);
}

TEST_F(TransportRead, AGateClosedAgainBeforeTheReaderRanStaysClosed) {
  transport_.pause(Pause::kPeerSlow);
  send_from_peer("hello");
  run_turns(loop_);
  transport_.resume(Pause::kPeerSlow);
  transport_.pause(Pause::kPipelined);
  run_turns(loop_);
  EXPECT_EQ(seen_.data, "");
  transport_.resume(Pause::kPipelined);
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.data == "hello"; }));
}

TEST_F(TransportRead, TheEndComesAfterTheLastByte) {
  send_from_peer("bye");
  peer_.close();
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.ends > 0; }));
  EXPECT_EQ(seen_.data, "bye");
  EXPECT_TRUE(seen_.clean);
  run_turns(loop_);
  EXPECT_EQ(seen_.ends, 1);
  EXPECT_FALSE(seen_.error);
}

TEST_F(TransportRead, TheEndWaitsBehindAClosedGate) {
  transport_.pause(Pause::kPeerSlow);
  send_from_peer("bye");
  peer_.shutdown_write();
  run_turns(loop_);
  EXPECT_TRUE(seen_.is_untouched());
  transport_.resume(Pause::kPeerSlow);
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.ends == 1; }));
  EXPECT_EQ(seen_.data, "bye");
}

TEST_F(TransportRead, AnEndDoesNotStopWriting) {
  peer_.shutdown_write();
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.ends == 1; }));
  transport_.write("still here");
  std::string received;
  EXPECT_TRUE(run_until(loop_, [&] {
    received += receive_what_is_there(peer_).bytes;
    return received == "still here";
  }));
}

TEST_F(TransportRead, TheHandlerMayCloseInsideABurst) {
  seen_.after_data = [&](std::string_view) { transport_.close(); };
  send_from_peer(pattern(limits::kReadBurstBytes + 100));
  EXPECT_TRUE(run_until(loop_, [&] { return !transport_.is_open(); }));
  run_turns(loop_);
  EXPECT_EQ(seen_.data.size(), limits::kReadBurstBytes);
  EXPECT_EQ(seen_.ends, 0);
  EXPECT_FALSE(seen_.error);
}

TEST_F(TransportRead, NothingIsToldAfterClose) {
  transport_.pause(Pause::kPeerSlow);
  send_from_peer("hello");
  run_turns(loop_);
  transport_.resume(Pause::kPeerSlow);
  transport_.close();
  transport_.close();
  run_turns(loop_);
  EXPECT_TRUE(seen_.is_untouched());
  EXPECT_TRUE(receive_what_is_there(peer_).end);
}

TEST_F(TransportRead, ADestroyedTransportClosesItsSocket) {
  SocketPair pair = local_pair();
  Recorder other;
  auto transport = std::make_unique<Transport>(loop_, other, ErrorCode::kClientGone);
  transport->open(std::move(pair.ours));
  transport->write("last words");
  transport.reset();
  run_turns(loop_);
  const Received received = receive_what_is_there(pair.peer);
  EXPECT_EQ(received.bytes, "last words");
  EXPECT_TRUE(received.end);
  EXPECT_TRUE(other.is_untouched());
}

}  // namespace kg::event::transport_read_test
