// Socket addresses and address ranges: numeric only, so nothing here resolves names or blocks.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kg::event {

class SocketAddress {
 public:
  SocketAddress() = default;
  SocketAddress(const sockaddr_storage& storage, socklen_t size) : storage_(storage), size_(size) {}
  static std::optional<SocketAddress> parse(const std::string& host, uint16_t port);

  const sockaddr* get() const noexcept;
  socklen_t size() const noexcept { return size_; }
  int family() const noexcept { return storage_.ss_family; }
  uint16_t port() const noexcept;
  std::string host_text() const;  // "10.0.0.1"; IPv4-mapped IPv6 as IPv4
  std::string text() const;       // "10.0.0.1:443", "[::1]:443"
  // 16 bytes, IPv4 as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2).
  std::array<unsigned char, 16> bytes16() const noexcept;

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

// A list of CIDR ranges.
class AddressRanges {
 public:
  // False and unchanged for text that is no range.
  bool add(std::string_view cidr);
  bool contains(const SocketAddress& address) const noexcept;
  bool empty() const noexcept { return ranges_.empty(); }

 private:
  struct Range {
    std::array<unsigned char, 16> bytes;
    unsigned prefix_bits;
  };
  std::vector<Range> ranges_;
};

}  // namespace kg::event
