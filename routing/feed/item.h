// Item and Version: what the feed carries from the controller to the proxies, and the order of it.
//
// The feed knows an item's key and who may be sent it; what its payload means is an affair of its
// two ends. Values; the payload is shared and immutable, so copies of an item are cheap on any
// thread.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>

namespace kg::feed {

struct Item {
  std::string key;  // unique: "endpoint/<namespace>/<id>", "certificate/<namespace>/<secret>"
  std::string scope_namespace;  // whose proxies may be sent it; "" everybody's
  std::string endpoint;         // its id; "" for what is of the whole namespace
  // Never null. May hold secrets: it stands in no log, error or metric.
  std::shared_ptr<const std::string> payload;
};

// Of the whole feed. A term is one time of leadership (the transitions of the controllers' Lease),
// so that what a former leader still says is older than anything of the present one. A controller
// that starts anew begins another term: it counts sequences from the start again, and proxies would
// wait for it to pass what they hold.
struct Version {
  uint64_t term = 0;
  uint64_t sequence = 0;
  // clang-tidy 14 takes the zero in it for a pointer. NOLINTNEXTLINE(modernize-use-nullptr)
  auto operator<=>(const Version&) const = default;
};

}  // namespace kg::feed
