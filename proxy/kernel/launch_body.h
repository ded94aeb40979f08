// LaunchBody: the body of a kernel start, taken apart strictly and written anew (domain R3).
//
// A gateway believes whatever a client writes into `env`: whose kernel it is (J10), namespace,
// service account, image, user id, volumes (J11); and a start without `env` may inherit that of
// another user (J16). So nothing of the client's JSON goes up as it came: what goes up is `name`
// and an `env` of what passed, KERNEL_USERNAME and KERNEL_ID by the proxy. Of the other members of
// the top object none does: gateways ignore them, or take a folder of theirs from them (`path`).
//
// Refused: members that stand twice in any object, more than 32 levels, kLaunchMembersMax members,
// broken UTF-8, NUL. An empty body is {}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/error.h"

namespace kg::kernel {

// What clients of an endpoint may say about a kernel's environment.
struct LaunchRules {
  std::vector<std::string> pass;        // names that go up
  std::vector<std::string> deny;        // names that are refused; all others are dropped
  std::vector<std::string> spark_conf;  // keys in KERNEL_EXTRA_SPARK_OPTS; empty: it is dropped
};

// Why a kernel start is refused: kLaunchMalformed or kLaunchDenied, and what for client and log.
struct LaunchFault {
  ErrorCode code = ErrorCode::kNone;
  std::string what;
};

class LaunchBody {
 public:
  static std::optional<LaunchBody> read(std::string_view body, const LaunchRules& rules,
                                        LaunchFault& fault);

  // The kernel spec, "" for the gateway's default.
  const std::string& spec() const noexcept { return spec_; }
  // The client's own KERNEL_ID (or kernel_id, jupyter_server#1655), "" if none: whoever repeats it
  // wants the same kernel.
  const std::string& wanted_id() const noexcept { return wanted_id_; }
  // env.KERNEL_LAUNCH_TIMEOUT, seconds as text or number (G14, E13), within kLaunchMsMin and
  // kLaunchMsMax; fallback_ms if it is absent or no number.
  uint32_t launch_timeout_ms(uint32_t fallback_ms) const noexcept;
  // Variables that did not pass, and the names of the first kLaunchNamesLoggedMax, comma-separated.
  uint32_t dropped() const noexcept { return dropped_; }
  const std::string& dropped_names() const noexcept { return dropped_names_; }

  // What goes up. `username` is_kernel_username(); without `kernel_id` the gateway chooses one.
  std::string stamped(std::string_view username, std::string_view kernel_id) const;

 private:
  friend class LaunchReader;

  std::string spec_;
  std::string wanted_id_;
  std::vector<std::pair<std::string, std::string>> env_;
  std::string dropped_names_;
  uint32_t dropped_ = 0;
};

// A verified subject that may stand in KERNEL_USERNAME, whose text ends up in names of pods and in
// shell commands: [A-Za-z0-9._@+-]{1,128}. Others are refused, never rewritten: two might collide.
bool is_kernel_username(std::string_view subject) noexcept;

}  // namespace kg::kernel
