#include "proxy/event/delivery.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <vector>

#include "proxy/event/socket.h"

namespace kg::event::delivery_test {

// Both ends of a TCP connection over loopback.
struct Ends {
  Socket near;
  Socket far;
};

Ends connected() {
  auto listener = Socket::listen(*SocketAddress::parse("127.0.0.1", 0));
  EXPECT_TRUE(listener);
  auto caller = Socket::connect(listener->local_address());
  EXPECT_TRUE(caller);
  pollfd arrived{listener->fd(), POLLIN, 0};
  EXPECT_EQ(poll(&arrived, 1, 5'000), 1);
  auto accepted = accept_from(listener->fd());
  EXPECT_TRUE(accepted);
  return {std::move(caller).value(), std::move(accepted->socket)};
}

// Sends until the system takes no more.
void fill(const Socket& socket) {
  const std::vector<char> bytes(65'536);
  pollfd writable{socket.fd(), POLLOUT, 0};
  while (poll(&writable, 1, 200) == 1) {
    while (send(socket.fd(), bytes.data(), bytes.size(), 0) > 0) continue;
  }
}

TEST(DeliveryOf, TellsWhatAPeerTookFromWhatItHoldsBack) {
  const Ends ends = connected();
  EXPECT_FALSE(delivery_of(ends.near.fd()).held_back);
  fill(ends.near);
  const Delivery full = delivery_of(ends.near.fd());
  EXPECT_TRUE(full.held_back);
  EXPECT_GT(full.acknowledged, 0U);
  EXPECT_EQ(delivery_of(ends.near.fd()).acknowledged, full.acknowledged) << "nobody reads";

  std::vector<char> bytes(1'000'000);
  size_t taken = 0;
  pollfd readable{ends.far.fd(), POLLIN, 0};
  while (delivery_of(ends.near.fd()).acknowledged == full.acknowledged) {
    ASSERT_EQ(poll(&readable, 1, 5'000), 1) << "after " << taken << " bytes";
    taken += static_cast<size_t>(recv(ends.far.fd(), bytes.data(), bytes.size(), 0));
  }
  EXPECT_GT(taken, 0U);
}

TEST(DeliveryOf, WhatIsNoTcpSocketHasNone) {
  EXPECT_EQ(delivery_of(-1).acknowledged, 0U);
  EXPECT_FALSE(delivery_of(Socket::spare().fd()).held_back);
}

}  // namespace kg::event::delivery_test
