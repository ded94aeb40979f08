// RevocationStore: what is revoked in the whole fleet, kept in a Secret so that it outlives every
// controller and proxy. Replicas say what an operator revoked at one of them; the leader writes it
// down; every controller reads it from the Secret and publishes the same list.
//
// Owner:  the controller. Thread: the loop's. Limits: limits::kRevocationsMax entries, and as many
//         notices that wait; entries end by themselves. Errors: what could not be written is tried
//         again every kRevocationRetryMs, and is in memory meanwhile.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proxy/event/watcher.h"
#include "routing/controller/kube/client.h"
#include "routing/controller/kube/reflector.h"
#include "routing/revocation_notice.h"

namespace kg::controller {

inline constexpr uint32_t kRevocationRetryMs = 1'000;
inline constexpr size_t kRevocationBytesMax = size_t{900} * 1024;  // a Secret has 1 MiB
inline constexpr const char* kRevocationsSecret = "kernelgate-revocations";

class RevocationStore final : private kube::Handler {
 public:
  // `on_change` hears that entries() are others now; the first time when they are known.
  RevocationStore(event::EventLoop& loop, kube::Client& client, std::string namespace_name,
                  std::function<void()> on_change);

  void start() { reflector_.start(); }
  // Of a replica; every controller hears it, and whoever leads writes it.
  void hear(const routing::RevocationNotice& notice);
  void set_leading(bool leads);

  bool synced() const noexcept { return synced_ && readable_; }
  // That count at this time, seconds since the epoch.
  std::vector<auth::Revocation> entries(int64_t now) const;

 private:
  void on_upsert(const nlohmann::json& object) override;
  void on_remove(const std::string& namespace_name, const std::string& name) override;
  void on_synced() override;
  void write();
  void on_written(const kube::Reply& reply);
  std::string path() const;

  event::EventLoop& loop_;
  kube::Client& client_;
  const std::string namespace_;
  std::function<void()> on_change_;
  kube::Reflector reflector_;
  event::Timer retry_;
  std::unique_ptr<kube::Call> call_;
  std::vector<auth::Revocation> entries_;  // as the Secret has them
  std::string version_;                    // resourceVersion of the Secret; "": there is none
  std::deque<routing::RevocationNotice> waiting_;
  bool leads_ = false;
  bool synced_ = false;
  bool readable_ = false;  // the Secret was read, or there is none
};

}  // namespace kg::controller
