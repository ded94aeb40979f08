// MemoryStore: what the controllers remember (ingress/recollection.h), kept in a Secret so that it
// outlives all of them. The leader writes it; every controller reads it before it compiles for the
// first time, and whenever it changes.
//
// Nobody forgets anything for a Secret that is gone or cannot be read: who leads writes it again,
// and only where all controllers are gone too it is lost.
// Owner:  the controller. Thread: the loop's. Limits: ingress::kMemoryBytesMax, what is left out is
//         logged; a write every kMemoryPaceMs. Errors: logged; what could not be written is tried
//         again after kMemoryRetryMs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/event/watcher.h"
#include "routing/controller/ingress/recollection.h"
#include "routing/controller/kube/client.h"
#include "routing/controller/kube/reflector.h"

namespace kg::controller {

inline constexpr uint32_t kMemoryPaceMs = 1'000;
inline constexpr uint32_t kMemoryRetryMs = 10'000;
inline constexpr const char* kMemorySecret = "kernelgate-controller-memory";
inline constexpr const char* kMemorySecretType = "memory.kernelgate.io/v1";  // no Ingress names it

class MemoryStore final : private kube::Handler {
 public:
  // `recollect` says what is to be remembered now, and is asked from within look() or behind it.
  // `on_change` hears that the Secret is another one, the first time when it is known.
  MemoryStore(event::EventLoop& loop, kube::Client& client, std::string namespace_name,
              std::function<ingress::Recollection()> recollect, std::function<void()> on_change);

  void start() { reflector_.start(); }
  void set_leading(bool leads) { leads_ = leads; }
  // Of the leader, after each compilation: writes what the Secret does not say.
  void look();

  bool synced() const noexcept { return synced_; }
  // What is wrong with its list or watch at the moment, "" if nothing is.
  std::string_view problem() const noexcept { return reflector_.problem(); }
  // The last one that could be read.
  const ingress::Recollection& recollection() const noexcept { return recollection_; }

 private:
  bool on_upsert(const nlohmann::json& object) override;
  void on_remove(const std::string& namespace_name, const std::string& name) override;
  void on_synced() override;
  void look_in(uint32_t ms);
  void write();
  void on_written(const kube::Reply& reply);

  event::EventLoop& loop_;
  kube::Client& client_;
  const std::string namespace_;
  std::function<ingress::Recollection()> recollect_;
  std::function<void()> on_change_;
  kube::Reflector reflector_;
  event::Timer pace_;
  bool pacing_ = false;
  bool look_waits_ = false;
  std::unique_ptr<kube::Call> call_;
  ingress::Recollection recollection_;
  std::optional<std::string> text_;  // as the Secret has it, readable or not
  std::string sent_;                 // what is under way, or was last
  std::string version_;              // resourceVersion of the Secret; "": there is none
  size_t left_out_ = 0;
  bool leads_ = false;
  bool synced_ = false;
};

}  // namespace kg::controller
