// Gate: what may be published, found out by what proxies do with it. A proxy refuses an update
// whole for one item that it cannot use: no such item leaves a controller.
//
// What is refused keeps its last good version, unless a good item now has its id or a host and path
// of it; whoever has none stays away.
// Owner:  the controller. Thread: the loop's. Cost: of the items that changed, once each, in slices
//         where they are many, and while some are held back, a look at the claims of those.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "routing/feed/item.h"
#include "routing/item_check.h"

namespace kg::controller {

class Gate {
 public:
  // Tries up to so many of a change's items, before pass() gets the same; false: there are more.
  bool try_items(const std::vector<feed::Item>& items, size_t most);
  // Takes a change's items and the keys of those that go; leaves what is to be published.
  void pass(std::vector<feed::Item>& items, std::vector<std::string>& removed);
  // All that may be published now, by key.
  std::vector<feed::Item> items() const;
  size_t certificates() const;  // among them
  // What is held back, and why, by key.
  const std::map<std::string, std::string>& refused() const noexcept { return refused_; }

 private:
  void withdraw_clashing(const std::vector<std::string>& claims, std::vector<std::string>& removed);

  routing::ItemCheck check_;
  struct Good {
    feed::Item item;
    std::vector<std::string> claims;
  };
  std::map<std::string, Good> good_;
  std::map<std::string, std::string> refused_;
  std::vector<routing::Checked> tried_;  // the first items of the change to come
};

}  // namespace kg::controller
