// The writing half of Transport: back-pressure, half-close, connecting, death.
#include <gmock/gmock.h>

#include <algorithm>
#include <cerrno>

#include "loop_support.h"
#include "proxy/base/limits.h"
#include "stream_support.h"

namespace kg::event::transport_write_test {

constexpr int kSmallBuffer = 4 * 1024;

class TransportWrite : public testing::Test {
 protected:
  TransportWrite() {
    SocketPair pair = local_pair(kSmallBuffer);
    peer_ = std::move(pair.peer);
    transport_.open(std::move(pair.ours));
  }
  // Until the peer has `bytes` of ours.
  bool peer_reads(size_t bytes) {
    return run_until(loop_, [&] {
      const Received received = receive_what_is_there(peer_);
      peer_data_ += received.bytes;
      peer_saw_end_ = peer_saw_end_ || received.end;
      return peer_data_.size() >= bytes;
    });
  }

  EventLoop loop_;
  Recorder seen_;
  Socket peer_;
  std::string peer_data_;
  bool peer_saw_end_ = false;
  Transport transport_{loop_, seen_, ErrorCode::kClientGone};
};

TEST_F(TransportWrite, WritesLeaveAtTheEndOfTheTurn) {
  transport_.write("one ");
  transport_.write("");
  transport_.write("two");
  EXPECT_EQ(transport_.unsent(), 7U);
  EXPECT_EQ(receive_what_is_there(peer_).bytes, "");
  loop_.settle();
  EXPECT_EQ(transport_.unsent(), 0U);
  EXPECT_EQ(receive_what_is_there(peer_).bytes, "one two");
  EXPECT_TRUE(seen_.is_untouched()) << "drained is told only to who was above the mark";
}

TEST_F(TransportWrite, TellsWhenASlowPeerCaughtUp) {
  const std::string sent = pattern(limits::kPendingBytesHigh * 3 / 2);
  size_t unsent_when_drained = 0;
  seen_.after_drained = [&] { unsent_when_drained = transport_.unsent(); };
  transport_.write(sent);
  run_turns(loop_);
  EXPECT_GT(transport_.unsent(), limits::kPendingBytesHigh);
  EXPECT_EQ(seen_.drained, 0);
  EXPECT_TRUE(peer_reads(sent.size()));
  EXPECT_EQ(peer_data_, sent);
  EXPECT_EQ(seen_.drained, 1);
  EXPECT_LE(unsent_when_drained, limits::kPendingBytesLow);
  EXPECT_EQ(transport_.unsent(), 0U);
}

TEST_F(TransportWrite, SaysSinceWhenBytesWait) {
  EXPECT_EQ(transport_.last_progress_us(), 0U);
  transport_.write(pattern(64 * 1024));
  run_turns(loop_);
  EXPECT_GT(transport_.last_progress_us(), 0U);
  EXPECT_LE(transport_.last_progress_us(), monotonic_us());
  EXPECT_TRUE(peer_reads(64 * 1024));
}

TEST_F(TransportWrite, TooMuchUnsentIsAnError) {
  transport_.write(std::string(limits::kUnsentCipherBytesMax * 2, 'x'));
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.error.has_value(); }));
  EXPECT_FALSE(transport_.is_open());
  EXPECT_EQ(transport_.unsent(), 0U);
  transport_.write("nobody hears");
  EXPECT_EQ(transport_.unsent(), 0U);
  run_turns(loop_);
  EXPECT_EQ(seen_.drained, 0);
}

TEST_F(TransportWrite, FinishSendsTheRestAndKeepsReading) {
  const std::string sent = pattern(limits::kPendingBytesHigh / 2);
  transport_.write(sent);
  transport_.finish();
  transport_.finish();
  EXPECT_TRUE(peer_reads(sent.size()));
  EXPECT_EQ(peer_data_, sent);
  EXPECT_TRUE(run_until(loop_, [&] {
    peer_saw_end_ = peer_saw_end_ || receive_what_is_there(peer_).end;
    return peer_saw_end_ && seen_.drained > 0;
  }));
  EXPECT_EQ(seen_.drained, 1);
  EXPECT_TRUE(transport_.is_open());
  ASSERT_EQ(send_all_it_takes(peer_, "answer"), 6U);
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.data == "answer"; }));
  EXPECT_EQ(seen_.ends, 0);
}

TEST_F(TransportWrite, FinishWithNothingUnsentEndsAtOnce) {
  transport_.finish();
  EXPECT_TRUE(run_until(loop_, [&] { return receive_what_is_there(peer_).end; }));
  EXPECT_EQ(seen_.drained, 1);
}

TEST_F(TransportWrite, ADeadPeerIsAnErrorOnce) {
  peer_.close();
  transport_.pause(Pause::kPeerSlow);  // only the write can find out
  transport_.write("hello");
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.error.has_value(); }));
  EXPECT_EQ(seen_.error->code, ErrorCode::kClientGone);
  EXPECT_EQ(seen_.error->sys, EPIPE);
  EXPECT_FALSE(transport_.is_open());
  run_turns(loop_);
  EXPECT_EQ(seen_.ends, 0);
}

TEST_F(TransportWrite, WhatWasTakenBackIsNotSent) {
  EXPECT_EQ(transport_.take_back(), std::nullopt) << "nobody said that it should be kept";
  transport_.keep_unsent();
  const std::string sent = pattern(limits::kPendingBytesHigh);
  transport_.write(sent);
  run_turns(loop_);
  const std::string kept = transport_.take_back().value();
  EXPECT_EQ(transport_.unsent(), 0U);
  transport_.close();
  EXPECT_TRUE(run_until(loop_, [&] {
    const Received received = receive_what_is_there(peer_);
    peer_data_ += received.bytes;
    return received.end;
  }));
  EXPECT_EQ(peer_data_ + kept, sent);
  EXPECT_FALSE(kept.empty());
}

TEST_F(TransportWrite, WhatADeadPeerDidNotTakeIsThereStill) {
  transport_.keep_unsent();
  peer_.close();
  transport_.write("one ");
  loop_.settle();
  transport_.write("two");
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.error.has_value() || seen_.ends > 0; }));
  EXPECT_EQ(transport_.take_back(), "one two");
}

TEST_F(TransportWrite, MegabytesThroughSmallBuffersToASlowReader) {
  const std::string sent = pattern(size_t{5} * 1024 * 1024);
  size_t offset = 0;
  size_t most_unsent = 0;
  const auto fill = [&] {
    while (offset < sent.size() && transport_.unsent() <= limits::kPendingBytesHigh) {
      const std::string_view part = std::string_view(sent).substr(offset, 10'000);
      transport_.write(part);
      offset += part.size();
      most_unsent = std::max(most_unsent, transport_.unsent());
    }
    if (offset == sent.size()) transport_.finish();
  };
  seen_.after_drained = fill;

  Recorder reader;
  Transport slow(loop_, reader, ErrorCode::kClientGone);
  slow.open(std::move(peer_));
  reader.data.reserve(sent.size());
  reader.after_data = [&](std::string_view) {
    slow.pause(Pause::kPeerSlow);
    loop_.post([&] { slow.resume(Pause::kPeerSlow); });  // some turn later
  };
  fill();
  EXPECT_TRUE(run_until(loop_, [&] { return reader.ends > 0; }));
  EXPECT_TRUE(reader.data == sent) << reader.data.size() << " bytes of " << sent.size();
  EXPECT_LE(most_unsent, limits::kPendingBytesHigh + 10'000);
  EXPECT_FALSE(seen_.error);
  EXPECT_FALSE(reader.error);
}

class TransportConnect : public testing::Test {
 protected:
  EventLoop loop_;
  Recorder seen_;
  Transport transport_{loop_, seen_, ErrorCode::kUpstreamReset};
};

TEST_F(TransportConnect, WhatWasWrittenEarlyFollowsTheConnection) {
  const Socket listener = listen_anywhere();
  transport_.connect(connect_to(listener.local_address()));
  transport_.write("early");
  EXPECT_EQ(transport_.unsent(), 5U);
  Socket peer;
  std::string received;
  EXPECT_TRUE(run_until(loop_, [&] {
    Result<Accepted> accepted = accept_from(listener.fd());
    if (accepted) peer = std::move(accepted->socket);
    if (peer.is_open()) received += receive_what_is_there(peer).bytes;
    return received == "early";
  }));
  EXPECT_EQ(seen_.connected, 1);
  ASSERT_EQ(send_all_it_takes(peer, "answer"), 6U);
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.data == "answer"; }));
  EXPECT_FALSE(seen_.error);
}

TEST_F(TransportConnect, ARefusedConnectionNamesItsCause) {
  SocketAddress nobody;
  {
    const Socket listener = listen_anywhere();
    nobody = listener.local_address();
  }
  Result<Socket> socket = Socket::connect(nobody);
  if (socket) {
    transport_.connect(std::move(*socket));
    transport_.write("never sent");
    EXPECT_TRUE(run_until(loop_, [&] { return seen_.error.has_value(); }));
  } else {
    seen_.error = socket.error();  // some systems tell at once
  }
  EXPECT_EQ(seen_.error->code, ErrorCode::kUpstreamConnect);
  EXPECT_EQ(seen_.error->sys, ECONNREFUSED);
  EXPECT_EQ(seen_.connected, 0);
  EXPECT_FALSE(transport_.is_open());
}

TEST_F(TransportConnect, AResetIsTheCodeOfItsSide) {
  const Socket listener = listen_anywhere();
  transport_.connect(connect_to(listener.local_address()));
  Socket peer;
  EXPECT_TRUE(run_until(loop_, [&] {
    Result<Accepted> accepted = accept_from(listener.fd());
    if (accepted) peer = std::move(accepted->socket);
    return peer.is_open() && seen_.connected == 1;
  }));
  const linger reset{1, 0};
  setsockopt(peer.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  peer.close();
  EXPECT_TRUE(run_until(loop_, [&] { return seen_.error.has_value(); }));
  EXPECT_EQ(seen_.error->code, ErrorCode::kUpstreamReset);
  EXPECT_EQ(seen_.error->sys, ECONNRESET);
  EXPECT_EQ(seen_.ends, 0);
}

TEST(Socket, QuietMeansOpenAndNothingToRead) {
  SocketPair pair = local_pair();
  EXPECT_TRUE(pair.ours.is_quiet());
  send_all_it_takes(pair.peer, "x");
  EXPECT_FALSE(pair.ours.is_quiet());
  EXPECT_EQ(receive_what_is_there(pair.ours).bytes, "x") << "a look takes nothing";
  EXPECT_TRUE(pair.ours.is_quiet());
  pair.peer.close();
  EXPECT_FALSE(pair.ours.is_quiet());
}

TEST(Socket, AcceptSaysThereIsNone) {
  const Socket listener = listen_anywhere();
  const Result<Accepted> none = accept_from(listener.fd());
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().sys, EAGAIN);
  const Socket client = connect_to(listener.local_address());
  Result<Accepted> one = accept_from(listener.fd());
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->peer.text(), client.local_address().text());
}

}  // namespace kg::event::transport_write_test
