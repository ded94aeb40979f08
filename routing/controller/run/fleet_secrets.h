// What the fleet shares (routing/fleet_keys.h), kept as Secrets: made, rotated, read by the
// controller, and mounted by the proxies. An entry is called "key" and the suffix: key, key.pub.
//
// Several may make or rotate one at a time: the API server lets one of them be first, and nobody
// overwrites what he has not read. A rotation writes its entries and nothing else of the Secret.
// Thread: the loop's, which they run until the answers have come: for commands, and before the
// controller begins. Errors: sentences that hold nothing of a key.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "proxy/event/event_loop.h"
#include "routing/controller/ingress/object.h"
#include "routing/controller/kube/client.h"
#include "routing/fleet_keys.h"

namespace kg::controller {

struct FleetSecret {
  const char* name;
  routing::KeyKind kind;
};
inline constexpr const char* kControllerKeySecret = "kernelgate-controller-key";
inline constexpr const char* kProxyKeySecret = "kernelgate-proxy-key";
// Those of the feed are the controllers' own business; the others it makes for its proxies alone.
inline constexpr std::array<FleetSecret, 4> kFleetSecrets{
    {{kControllerKeySecret, routing::KeyKind::kFeed},
     {kProxyKeySecret, routing::KeyKind::kFeed},
     {"kernelgate-kernel-ids", routing::KeyKind::kKernelIds},
     {"kernelgate-ticket-keys", routing::KeyKind::kTickets}}};

// None that an Ingress may name.
inline constexpr const char* kFleetSecretType = "keys.kernelgate.io/fleet";
inline constexpr uint32_t kFleetSecretRetryMs = 2'000;
inline constexpr int kRotateTriesMax = 3;  // others rotated in between

class FleetSecrets {
 public:
  FleetSecrets(event::EventLoop& loop, kube::Client& client) : loop_(loop), client_(client) {}

  // "" or what is wrong. The texts are those that are there now.
  std::string make(const ingress::ObjectName& secret, routing::KeyKind kind,
                   routing::KeyTexts& made);  // one that is there is an error
  std::string rotate(const ingress::ObjectName& secret, routing::KeyKind kind,
                     routing::KeyTexts& made);
  // Of kFleetSecrets, by name, those of the feed if they are wanted and all others: the missing
  // ones are made. Of the others a problem is only logged. Waits for an API server.
  std::string ensure(const std::string& namespace_name, bool with_feed,
                     std::map<std::string, routing::KeyTexts>& texts);

 private:
  kube::Reply ask(kube::CallRequest request);
  // Asked where the answer to a write was lost.
  bool is_there(const ingress::ObjectName& secret, const routing::KeyTexts& keys);
  kube::Reply ask_patiently(const kube::CallRequest& request);
  std::string ensure_one(const ingress::ObjectName& secret, routing::KeyKind kind,
                         routing::KeyTexts& texts);

  event::EventLoop& loop_;
  kube::Client& client_;
};

}  // namespace kg::controller
