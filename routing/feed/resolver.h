// Resolver: the addresses behind the names of controllers, looked up again and again.
//
// getaddrinfo blocks, so each look-up is a short thread of its own, one at a time; it is left to
// itself when the resolver dies before it. Numeric hosts need none.
// Owner:  the Subscriber. Thread: the loop's.
// Limits: kControllersMax addresses; every kResolveMs, or kHeartbeatMs while there is none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/event/watcher.h"

namespace kg::feed {

struct Controller {
  std::string host;
  uint16_t port = 0;
  // "HOST:PORT" or "[ADDRESS]:PORT"; nullopt for anything else.
  static std::optional<Controller> parse(std::string_view text);
};

struct Addresses {
  std::vector<std::string> list;  // "tcp://ADDRESS:PORT", each once
  bool complete = true;           // each name was found
};
using LookUp = std::function<Addresses(const std::vector<Controller>&)>;
Addresses look_up(const std::vector<Controller>& controllers);  // blocks

class Resolver {
 public:
  using Found = std::function<void(const Addresses&)>;
  // `found` comes on the loop, once for each look-up.
  Resolver(event::EventLoop& loop, std::vector<Controller> controllers, LookUp look_up,
           Found found);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  void start();

 private:
  struct Shared;
  void finish(const Addresses& addresses);

  std::vector<Controller> controllers_;
  LookUp look_up_;
  Found found_;
  event::Timer timer_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace kg::feed
