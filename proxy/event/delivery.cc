#include "proxy/event/delivery.h"

#include <linux/tcp.h>  // newer than that of the C library, and not to be mixed with it
#include <netinet/in.h>
#include <sys/socket.h>

namespace kg::event {

Delivery delivery_of(int fd) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return {info.tcpi_bytes_acked, info.tcpi_notsent_bytes > 0};
}

}  // namespace kg::event
