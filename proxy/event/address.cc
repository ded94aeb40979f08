#include "proxy/event/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace kg::event {
namespace {

const sockaddr_in& as_v4(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in&>(storage);
}
const sockaddr_in6& as_v6(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in6&>(storage);
}

}  // namespace

std::optional<SocketAddress> SocketAddress::parse(const std::string& host, uint16_t port) {
  if (host.find('\0') != std::string::npos) return std::nullopt;  // would end the C string early
  sockaddr_storage storage{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return SocketAddress(storage, sizeof(sockaddr_in));
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return SocketAddress(storage, sizeof(sockaddr_in6));
  }
  return std::nullopt;
}

const sockaddr* SocketAddress::get() const noexcept {
  return reinterpret_cast<const sockaddr*>(&storage_);
}

uint16_t SocketAddress::port() const noexcept {
  return ntohs(family() == AF_INET6 ? as_v6(storage_).sin6_port : as_v4(storage_).sin_port);
}

std::string SocketAddress::host_text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &as_v4(storage_).sin_addr, text, sizeof text);
  } else if (family() == AF_INET6) {
    const in6_addr& v6 = as_v6(storage_).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
      inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &v6, text, sizeof text);
    }
  }
  return text;
}

std::string SocketAddress::text() const {
  const std::string host = host_text();
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port());
}

std::array<unsigned char, 16> SocketAddress::bytes16() const noexcept {
  std::array<unsigned char, 16> bytes{};
  if (family() == AF_INET) {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(&bytes[12], &as_v4(storage_).sin_addr, 4);
  } else if (family() == AF_INET6) {
    std::memcpy(bytes.data(), &as_v6(storage_).sin6_addr, 16);
  }
  return bytes;
}

bool AddressRanges::add(std::string_view cidr) {
  const size_t slash = cidr.find('/');
  const auto address = SocketAddress::parse(std::string(cidr.substr(0, slash)), 0);
  if (!address) return false;
  const unsigned width = address->family() == AF_INET ? 32 : 128;
  unsigned bits = width;
  if (slash != std::string_view::npos) {
    const std::string_view text = cidr.substr(slash + 1);
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (fault != std::errc() || end != text.data() + text.size() || bits > width) return false;
  }
  ranges_.push_back({address->bytes16(), bits + (128 - width)});
  return true;
}

bool AddressRanges::contains(const SocketAddress& address) const noexcept {
  const auto bytes = address.bytes16();
  for (const Range& range : ranges_) {
    const unsigned whole = range.prefix_bits / 8;
    const unsigned rest = range.prefix_bits % 8;
    if (std::memcmp(bytes.data(), range.bytes.data(), whole) != 0) continue;
    if (rest == 0 || ((bytes[whole] ^ range.bytes[whole]) >> (8 - rest)) == 0) return true;
  }
  return false;
}

}  // namespace kg::event
