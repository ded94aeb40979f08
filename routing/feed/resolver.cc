#include "routing/feed/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/base/owned.h"
#include "proxy/event/address.h"
#include "routing/feed/limits.h"

namespace kg::feed {

std::optional<Controller> Controller::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = ascii::parse_decimal(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool plain =
      !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || (bracketed && c == ':');
      });
  if (!plain || !port || *port == 0 || *port > UINT16_MAX) return std::nullopt;
  return Controller{std::string(host), static_cast<uint16_t>(*port)};
}

Addresses look_up(const std::vector<Controller>& controllers) {
  Addresses out;
  for (const Controller& controller : controllers) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(controller.port);
    if (getaddrinfo(controller.host.c_str(), port.c_str(), &hints, &found) != 0) {
      out.complete = false;
      continue;
    }
    const Owned<addrinfo, freeaddrinfo> owner(found);
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      sockaddr_storage storage{};
      std::copy_n(reinterpret_cast<const char*>(at->ai_addr), at->ai_addrlen,
                  reinterpret_cast<char*>(&storage));
      std::string address = "tcp://" + event::SocketAddress(storage, at->ai_addrlen).text();
      if (std::find(out.list.begin(), out.list.end(), address) == out.list.end() &&
          out.list.size() < kControllersMax) {
        out.list.push_back(std::move(address));
      }
    }
  }
  return out;
}

// What a look-up holds on to: its resolver may be gone when it ends.
struct Resolver::Shared {
  std::mutex mutex;
  event::EventLoop* loop = nullptr;  // null: nobody waits
  Resolver* resolver = nullptr;      // the loop's
};

Resolver::Resolver(event::EventLoop& loop, std::vector<Controller> controllers, LookUp look_up,
                   Found found)
    : controllers_(std::move(controllers)),
      look_up_(std::move(look_up)),
      found_(std::move(found)),
      timer_(loop, [this] { start(); }),
      shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
  shared_->resolver = this;
}

Resolver::~Resolver() {
  const std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
  shared_->resolver = nullptr;
}

void Resolver::start() {
  const auto work = [shared = shared_, controllers = controllers_, look_up = look_up_] {
    Addresses addresses = look_up(controllers);
    const std::lock_guard lock(shared->mutex);
    if (shared->loop == nullptr) return;
    shared->loop->post([shared, addresses = std::move(addresses)] {
      if (shared->resolver != nullptr) shared->resolver->finish(addresses);
    });
  };
  try {
    std::thread(work).detach();
  } catch (const std::system_error&) {
    timer_.arm_ms(kHeartbeatMs);  // no thread is to be had
  }
}

void Resolver::finish(const Addresses& addresses) {
  timer_.arm_ms(addresses.list.empty() ? kHeartbeatMs : kResolveMs);
  found_(addresses);
}

}  // namespace kg::feed
