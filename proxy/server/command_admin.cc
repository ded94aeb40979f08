// Calls of the admin interface for an operator's shell: one request over plain HTTP, by the address
// and the token that the configuration names.
#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "config/loader.h"
#include "config/names.h"
#include "proxy/base/secret.h"
#include "proxy/event/event_loop.h"
#include "proxy/event/socket.h"
#include "proxy/server/commands.h"
#include "proxy/server/session_control.h"

namespace kg::server {
namespace {

constexpr uint64_t kCallUs = 10'000'000;  // until the answer is there
constexpr size_t kAnswerBytesMax = size_t{64} * 1024;

int fail_call(int code, const std::string& sentence) {
  fmt::print(stderr, "kernelgate admin: {}\n", sentence);
  return code;
}

bool wait_for(int fd, short events, uint64_t until_us) {
  pollfd one{fd, events, 0};
  const uint64_t now_us = event::monotonic_us();
  if (now_us >= until_us) return false;
  return ::poll(&one, 1, static_cast<int>((until_us - now_us) / 1'000 + 1)) > 0;
}

// All that comes until the other side closes; nullopt with `problem`.
std::optional<std::string> exchange_bytes(const event::SocketAddress& address,
                                          std::string_view request, std::string& problem) {
  const Result<event::Socket> socket = event::Socket::connect(address);
  const uint64_t until_us = event::monotonic_us() + kCallUs;
  int fault = socket ? 0 : socket.error().sys;
  if (socket) {
    fault = wait_for(socket->fd(), POLLOUT, until_us) ? socket->pending_error() : ETIMEDOUT;
  }
  if (fault != 0) {
    problem = "cannot be reached: " + std::string(std::strerror(fault));
    return std::nullopt;
  }
  std::string answer;
  std::array<char, 4'096> bytes{};
  while (answer.size() <= kAnswerBytesMax) {
    if (!wait_for(socket->fd(), request.empty() ? POLLIN : POLLOUT, until_us)) break;
    if (!request.empty()) {
      const ssize_t sent = ::write(socket->fd(), request.data(), request.size());
      if (sent <= 0) break;
      request.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    const ssize_t got = ::read(socket->fd(), bytes.data(), bytes.size());
    if (got < 0) break;
    if (got == 0) return answer;
    answer.append(bytes.data(), static_cast<size_t>(got));
  }
  problem = "does not answer";
  return std::nullopt;
}

// Prints the body; 0 for a status of 200.
int print_answer(const std::string& answer) {
  const size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || body == std::string::npos) {
    return fail_call(1, "the answer is no HTTP");
  }
  const bool good = answer.compare(8, 5, " 200 ") == 0;
  fmt::print(good ? stdout : stderr, "{}", std::string_view(answer).substr(body + 4));
  return good ? 0 : 1;
}

}  // namespace

int admin_command(const AdminOptions& options, const std::string& path) {
  const config::Loaded loaded = config::load_file(options.config_file);
  if (!loaded.config) {
    for (const config::ConfigError& error : loaded.errors) {
      if (!error.warning) fmt::print(stderr, "error: {}\n", config::format(error));
    }
    return 2;
  }
  if (!loaded.config->admin) return fail_call(2, options.config_file + " has no admin interface");
  std::string problem;
  const Secret token = read_admin_token(loaded.config->admin->token_file, problem);
  if (!problem.empty()) return fail_call(2, problem);
  config::Address where = loaded.config->admin->address;
  if (!options.address.empty()) {
    static constexpr config::KeyInfo kAddress{"--address", "IP:port", "port 0 to 65535", "", ""};
    const auto parsed = config::parse_address(options.address, kAddress);
    if (!parsed.value) return fail_call(2, "--address: " + parsed.problem + "; " + parsed.remedy);
    where = *parsed.value;
  }
  const auto address = event::SocketAddress::parse(where.host, where.port);
  if (!address) return fail_call(2, where.host + " is no numeric address");
  const Secret request("POST " + path + " HTTP/1.1\r\nHost: " + address->text() +
                       "\r\nAuthorization: Bearer " + std::string(token.reveal()) +
                       "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  const auto answer = exchange_bytes(*address, request.reveal(), problem);
  if (!answer) return fail_call(1, address->text() + " " + problem);
  return print_answer(*answer);
}

}  // namespace kg::server
