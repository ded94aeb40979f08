// Delivery: how far what was sent on a connection has come, as the system's TCP knows it.
#pragma once

#include <cstdint>

namespace kg::event {

struct Delivery {
  uint64_t acknowledged = 0;  // bytes that the peer's system took, since the connection began
  bool held_back = false;     // more waits in our system than the peer lets come
};

// A system call: TCP_INFO (tcp(7)). Zeros for what is no open TCP socket.
Delivery delivery_of(int fd) noexcept;

}  // namespace kg::event
