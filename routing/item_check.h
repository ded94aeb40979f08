// ItemCheck: what a proxy would say of an item of the feed, found out by what proxies do with it.
//
// A proxy refuses an update whole for one item that it cannot use, so controllers ask here before
// they publish. Stricter in one thing: a key that the schema does not have is no newer program's
// here, but a fault of the controller's own. Nothing is fetched, and nothing of what is made stays.
// Owner:  a controller, or `kernelgate-controller check`. Thread: one. Cost: what it costs a proxy
// to take the item; contexts for the same CAs are tried once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "routing/feed/item.h"
#include "routing/tls_context_book.h"

namespace kg::routing {

struct Checked {
  std::string problem;  // "" if proxies can use it; no secret
  // What no other item may have at the same time: an id, hosts with their paths, a host's
  // certificate.
  std::vector<std::string> claims;
};

class ItemCheck {
 public:
  ItemCheck();
  ~ItemCheck();
  ItemCheck(const ItemCheck&) = delete;
  ItemCheck& operator=(const ItemCheck&) = delete;

  Checked check(const feed::Item& item);
  std::string problem_of(const feed::Item& item) { return check(item).problem; }

 private:
  struct Proxy;  // as much of one as it takes
  Checked check_endpoint(const feed::Item& item);
  TlsContextBook contexts_{0};
  std::unique_ptr<Proxy> proxy_;
};

}  // namespace kg::routing
