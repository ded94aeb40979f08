// Link: a proxy's connection to one controller.
//
// It greets, stays in touch and says what the other side offers; which link's updates are followed
// is the Subscriber's choice. A controller that is silent for kSilentMs is connected to anew, under
// another of the accepted keys if there are several: so keys can be changed under running proxies.
// Owner: the Subscriber; dies by defer_delete, after close(). Thread: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "routing/feed/message.h"
#include "routing/feed/scope.h"
#include "routing/feed/socket.h"

namespace kg::feed {

class Link;

class LinkOwner {
 public:
  virtual Version held() const = 0;
  // What the controller offers has changed, or whether it is there at all.
  virtual void on_offer(Link& link) = 0;
  virtual void on_update(Link& link, Update update, size_t bytes) = 0;
  // A message that cannot be used, and a word why.
  virtual void on_unreadable(Link& link, const char* problem) = 0;
  virtual void on_denied(Link& link, std::string_view reason) = 0;
  virtual void on_fact(Fact fact) = 0;

 protected:
  ~LinkOwner() = default;
};

class Link final : public event::Deferred, SocketHandler {
 public:
  struct Options {
    std::string name;  // of this proxy
    uint64_t schema_low = 0;
    uint64_t schema_high = 0;
    std::optional<KeyPair> keys;  // none: plaintext
    std::vector<std::string> controller_keys;
  };
  Link(Context& context, event::EventLoop& loop, LinkOwner& owner, const Options& options,
       std::string address);
  ~Link() override { close(); }

  const std::string& address() const noexcept { return address_; }
  bool connected() const noexcept { return connected_; }
  bool welcomed() const noexcept { return welcomed_; }
  const Version& offered() const noexcept { return offered_; }
  const Scope& scope() const noexcept { return scope_; }  // of this proxy, while welcomed
  uint64_t connections() const noexcept { return connections_; }

  // Updates from here on, and from now on: those that are still on their way are not told.
  void follow(const Digest& digest, bool whole);
  void pause() noexcept;  // until the next follow()
  void rest();
  void acknowledge(Version to, uint64_t part, const std::optional<Digest>& digest);
  void refuse(Version to, std::string reason);
  bool send_fact(std::string_view bytes);
  void close() noexcept;

 private:
  void on_message(std::span<const std::string_view> frames, std::string_view user) override;
  void on_connection(bool stands) override;
  void take(Message message, size_t bytes);
  void offer(Version version);
  void lose_welcome();
  void restart();
  void greet();
  void say(const Message& message);
  void tick();

  Context& context_;
  event::EventLoop& loop_;
  LinkOwner& owner_;
  const Options& options_;
  std::string address_;
  std::unique_ptr<Socket> socket_;
  event::Timer timer_;
  size_t tries_ = 0;
  uint64_t heard_us_ = 0;
  bool connected_ = false;
  bool welcomed_ = false;
  Version offered_;
  Scope scope_;
  uint64_t connections_ = 0;
  uint64_t round_ = 0;
  uint64_t asked_us_ = 0;  // by a Sync that has not been answered
  bool begun_ = false;     // what comes answers our last Sync
  uint64_t facts_seen_ = 0;
};

}  // namespace kg::feed
