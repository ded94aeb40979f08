// Both ends of the feed over real sockets on one loop.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "routing/feed/publisher.h"
#include "routing/feed/subscriber.h"
#include "tests/unit/event/loop_support.h"
#include "tests/unit/feed/feed_items.h"

namespace kg::feed {

// The owner of a subscriber, and what it was told.
struct Follower final : SubscriberHandler {
  std::string on_update(Version version, std::span<const Item> upserts,
                        std::span<const std::string> deletes, bool whole) override {
    ++asked;
    if (!refusal.empty()) return refusal;
    if (whole) state.clear();
    for (const Item& one : upserts) state[one.key] = *one.payload;
    for (const std::string& key : deletes) state.erase(key);
    versions.push_back(version);
    last_upserts = upserts.size();
    return "";
  }
  void on_fact(const Fact& fact) override { facts.push_back(fact.bytes); }

  std::map<std::string, std::string> state;
  std::vector<Version> versions;
  size_t last_upserts = 0;
  size_t asked = 0;
  std::vector<std::string> facts;
  std::string refusal;
};

struct Leader final : PublisherHandler {
  void on_fact(const Fact& fact) override { facts.push_back(fact.bytes); }
  void on_refused(std::string_view proxy, Version, std::string_view reason) override {
    refusals.push_back(std::string(proxy) + ": " + std::string(reason));
  }
  std::vector<std::string> facts;
  std::vector<std::string> refusals;
};

class FeedTest : public testing::Test {
 protected:
  struct Controller {
    Leader leader;
    std::unique_ptr<Publisher> publisher;
    std::string address;  // "tcp://127.0.0.1:PORT"
  };
  struct Proxy {
    Follower follower;
    std::unique_ptr<Subscriber> subscriber;
    bool has(Version version) const { return subscriber->status().version == version; }
  };

  FeedTest() { allowed.add(proxy_keys.public_key, Scope::all()); }

  std::unique_ptr<Controller> controller(const std::string& address = "tcp://127.0.0.1:*") {
    auto out = std::make_unique<Controller>();
    Publisher::Options options{{address}, controller_keys, false, allowed, kSchema};
    out->publisher = std::make_unique<Publisher>(loop, out->leader, std::move(options));
    EXPECT_EQ(out->publisher->start(), "");
    out->address = out->publisher->bound_addresses().front();
    return out;
  }

  Subscriber::Options options(const std::vector<std::string>& addresses) const {
    Subscriber::Options out;
    out.controllers = {"controllers.test:9903"};
    out.name = "proxy-0";
    out.keys = proxy_keys;
    out.controller_keys = {controller_keys.public_key};
    out.look_up = [addresses](const auto&) { return Addresses{addresses, true}; };
    return out;
  }
  std::unique_ptr<Proxy> proxy(Subscriber::Options options) {
    auto out = std::make_unique<Proxy>();
    out->subscriber = std::make_unique<Subscriber>(loop, out->follower, std::move(options));
    EXPECT_EQ(out->subscriber->start(), "");
    return out;
  }
  std::unique_ptr<Proxy> proxy(const std::vector<std::string>& addresses) {
    return proxy(options(addresses));
  }
  bool until(const std::function<bool()>& done) { return event::run_until(loop, done); }

  event::EventLoop loop;
  KeyPair controller_keys = make_keys();
  KeyPair proxy_keys = make_keys();
  AllowList allowed;
};

}  // namespace kg::feed
