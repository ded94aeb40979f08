// RevocationStore: what is revoked in the whole fleet or in a scope of it, kept in a Secret so that
// it outlives every controller and proxy. Replicas say what an operator revoked at one of them; the
// leader writes it down; every controller reads it from the Secret and publishes the same lists.
//
// A notice counts from when it is heard, and waits until the watch has brought a Secret that says
// the same: the watch may be behind our own writes, and what it brings late takes nothing back.
//
// Owner:  the controller. Thread: the loop's. Limits: limits::kRevocationsMax entries, and as many
//         notices that wait; of one namespace auth::kRevocationsPerNamespaceMax, and of all
//         namespaces kScopedBytesMax in the Secret, so that what counts everywhere has room;
//         entries end by themselves. Errors: what could not be written is tried again every
//         kRevocationRetryMs, and is in memory meanwhile.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/event/watcher.h"
#include "routing/controller/kube/client.h"
#include "routing/controller/kube/reflector.h"
#include "routing/revocation_notice.h"

namespace kg::controller {

inline constexpr uint32_t kRevocationRetryMs = 1'000;
inline constexpr size_t kRevocationBytesMax = size_t{900} * 1024;  // a Secret has 1 MiB
inline constexpr size_t kScopedBytesMax = size_t{450} * 1024;
// From one publication to the next: each may be the whole list for every proxy.
inline constexpr uint32_t kRevocationPublishMs = 50;
inline constexpr const char* kRevocationsSecret = "kernelgate-revocations";

class RevocationStore final : private kube::Handler {
 public:
  // `on_change` hears that entries() are others now, at once or after kRevocationPublishMs; the
  // first time when they are known.
  RevocationStore(event::EventLoop& loop, kube::Client& client, std::string namespace_name,
                  std::function<void()> on_change);

  void start() { reflector_.start(); }
  // Of a replica; every controller hears it, and whoever leads writes it.
  void hear(routing::RevocationNotice notice);
  void set_leading(bool leads);

  bool synced() const noexcept { return synced_ && readable_; }
  // What is wrong with its list or watch at the moment, "" if nothing is.
  std::string_view problem() const noexcept { return reflector_.problem(); }
  // That count at this time, seconds since the epoch.
  std::vector<auth::Revocation> entries(int64_t now) const;

 private:
  bool on_upsert(const nlohmann::json& object) override;
  void on_remove(const std::string& namespace_name, const std::string& name) override;
  void on_synced() override;
  void count_waiting();
  void forget_ended();
  void settle();
  void try_again();
  bool has_room(const auth::Revocation& revocation) const;
  void changed();
  void write();
  void on_written(const kube::Reply& reply);
  std::string path() const;

  event::EventLoop& loop_;
  kube::Client& client_;
  const std::string namespace_;
  std::function<void()> on_change_;
  kube::Reflector reflector_;
  event::Timer retry_;
  event::Timer pace_;  // of on_change_
  bool pacing_ = false;
  bool change_waits_ = false;
  std::unique_ptr<kube::Call> call_;
  std::vector<auth::Revocation> entries_;  // as the Secret has them
  std::vector<auth::Revocation> current_;  // and what waits to be written
  std::string version_;                    // resourceVersion of the Secret; "": there is none
  std::string seen_;                       // the same, as the watch had it last
  std::deque<routing::RevocationNotice> waiting_;
  bool unwritten_ = false;  // one of them is not in what was last written
  bool leads_ = false;
  bool synced_ = false;
  bool readable_ = false;  // the Secret was read, or there is none
};

}  // namespace kg::controller
