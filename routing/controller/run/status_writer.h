// StatusWriter: where our Ingresses are reached, written into their status.loadBalancer.
//
// The addresses are configured, or those of a Service, which is followed. Written are Ingresses of
// our classes that say something else, by a patch that holds for the version that was judged: one
// that changed meanwhile, and may be another controller's now, is looked at again first. One that
// leaves our classes and still says what we wrote is cleared (domain K12), once: whoever writes it
// from then on is not contradicted. Those that are observed are never written to.
// A Service without an address clears the status; one that is not there leaves it.
// Owner:  the controller, which lets it write while it leads and has seen all. Thread: the loop's.
//         It asks by on_due() to be looked at when the compiler is up to date.
// Limits: the constants. Errors: Writes; what is refused is logged once, counted, and tried again
//         every kStatusAgainMs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/event/watcher.h"
#include "routing/controller/ingress/object.h"
#include "routing/controller/kube/reflector.h"
#include "routing/controller/kube/writes.h"

namespace kg::controller {

inline constexpr uint32_t kStatusPerSecond = 50;  // 10,000 Ingresses in 200 s, at a start
inline constexpr uint32_t kStatusTogether = 50;   // after a pause
inline constexpr size_t kStatusCallsMax = 4;      // open at a time
inline constexpr size_t kStatusWaitingMax = 100'000;
// Between two writes of one Ingress: two controllers that contradict each other cost no more.
inline constexpr uint32_t kStatusAgainMs = 10'000;
inline constexpr size_t kStatusAddressesMax = 16;

enum class Belonging : uint8_t { kOurs, kObserved, kOthers };

class StatusWriter final : private kube::Handler {
 public:
  struct Options {
    std::vector<std::string> addresses;          // numeric ones and host names
    std::optional<ingress::ObjectName> service;  // instead of those
  };
  // "" or what is wrong with them.
  static std::string check(const Options& options);

  StatusWriter(event::EventLoop& loop, kube::Client& client, const Options& options,
               std::function<Belonging(const ingress::ObjectName&)> belonging,
               std::function<void()> on_due);

  void start();
  void set_leading(bool leads);
  // An Ingress as it is now, of whatever class; or gone.
  void saw(const nlohmann::json& ingress);
  void gone(const ingress::ObjectName& name);
  void look_at_all();  // other ones may be ours
  // After each turn with a saw() and a run of the compiler, and after on_due().
  void look();

  const kube::Writes::Counts& counts() const noexcept { return writes_.counts(); }
  size_t waiting() const noexcept { return writes_.waiting(); }

 private:
  struct Known {
    std::string version;
    std::string says;            // its addresses, as text_of() has them
    uint64_t not_before_us = 0;  // of the next write
    bool was_ours = false;       // and has not been cleared since
  };
  using Name = ingress::ObjectName;

  bool on_upsert(const nlohmann::json& service) override;
  void on_remove(const std::string& namespace_name, const std::string& name) override;
  void on_synced() override;
  void want(const nlohmann::json& addresses);
  std::optional<kube::CallRequest> request_of(const Name& name) const;
  // What it is to say; nullptr: what it says.
  const std::string* target_of(const Name& name, const Known& known) const;
  bool on_reply(const Name& name, const kube::Reply& reply);

  event::EventLoop& loop_;
  const std::function<Belonging(const Name&)> belonging_;
  const std::function<void()> on_due_;
  kube::Writes writes_;
  std::unique_ptr<kube::Reflector> service_;  // null: addresses are configured, or there are none
  event::Timer timer_;
  std::optional<std::string> wanted_;  // none: not known, nothing is written
  std::map<Name, Known> known_;
  std::set<Name> due_;  // to be looked at
  bool leads_ = false;
  std::optional<int> failed_status_;  // of the last one that failed, 0: no answer; said once
};

// The addresses of a Service, as status.loadBalancer.ingress has them.
nlohmann::json addresses_of(const nlohmann::json& service);

}  // namespace kg::controller
