#include "routing/feed/keys.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <zmq.hpp>

#include "proxy/base/assert.h"

namespace kg::feed {
namespace {

constexpr size_t kTextBytes = 40;
constexpr size_t kRawBytes = 32;
using Text = std::array<char, kTextBytes + 1>;  // libzmq ends it with a zero

bool is_z85(std::string_view text) noexcept {
  constexpr std::string_view kMarks = ".-:+=^!/*?&<>()[]{}@%$#";
  for (const char c : text) {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && kMarks.find(c) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

KeyPair make_keys() {
  Text public_text{};
  Text secret_text{};
  KG_ASSERT(zmq_curve_keypair(public_text.data(), secret_text.data()) == 0);
  KeyPair keys{std::string(public_text.data(), kTextBytes),
               Secret(std::string(secret_text.data(), kTextBytes))};
  explicit_bzero(secret_text.data(), secret_text.size());
  return keys;
}

bool is_key(std::string_view text) noexcept {
  if (text.size() != kTextBytes || !is_z85(text)) return false;
  Text copy{};
  std::memcpy(copy.data(), text.data(), text.size());
  std::array<uint8_t, kRawBytes> raw;
  const bool good = zmq_z85_decode(raw.data(), copy.data()) != nullptr;
  explicit_bzero(raw.data(), raw.size());
  explicit_bzero(copy.data(), copy.size());
  return good;
}

std::string key_text(std::string_view raw) {
  if (raw.size() != kRawBytes) return "";
  Text text{};
  zmq_z85_encode(text.data(), reinterpret_cast<const uint8_t*>(raw.data()), raw.size());
  return std::string(text.data(), kTextBytes);
}

std::optional<KeyPair> keys_of(const Secret& secret_key) {
  if (!is_key(secret_key.reveal())) return std::nullopt;
  Text secret_text{};
  Text public_text{};
  std::memcpy(secret_text.data(), secret_key.reveal().data(), kTextBytes);
  const bool good = zmq_curve_public(public_text.data(), secret_text.data()) == 0;
  explicit_bzero(secret_text.data(), secret_text.size());
  if (!good) return std::nullopt;
  return KeyPair{std::string(public_text.data(), kTextBytes), secret_key};
}

std::optional<KeyPair> read_keys(const std::string& file, std::string& problem) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    problem = file + ": " + std::strerror(errno);
    return std::nullopt;
  }
  std::array<char, kTextBytes + 3> text;  // an end of line, and one more to see that it is longer
  const ssize_t size = ::read(fd, text.data(), text.size());
  ::close(fd);
  std::string_view line(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  auto keys = keys_of(Secret(std::string(line)));
  explicit_bzero(text.data(), text.size());
  if (!keys) problem = file + " is not one secret key of 40 characters: make one by `keys new`";
  return keys;
}

}  // namespace kg::feed
