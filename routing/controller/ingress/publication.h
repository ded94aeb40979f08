// Publication: what is published now, whose it is, and what a turn changes about it.
//
// Owner: the compiler. Cost: of what is staged.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "routing/controller/ingress/object.h"
#include "routing/feed/item.h"

namespace kg::ingress {

class Publication {
 public:
  // What `owner` publishes from now on, in place of what it did; it counts with finish(). Of one
  // turn, so that a key may go from one owner to another.
  void stage(const ObjectRef& owner, std::vector<feed::Item> items);

  struct Difference {
    std::vector<feed::Item> items;     // new, or with another payload
    std::vector<std::string> removed;  // keys
  };
  Difference finish();

  std::vector<feed::Item> items() const;  // by key
  // nullptr: nothing. Until the next finish().
  const feed::Item* item(const std::string& key) const;
  const ObjectRef* owner_of(const std::string& key) const;

 private:
  struct Current {
    feed::Item item;
    ObjectRef owner;
  };
  using Items = std::map<std::string, Current>;

  void withdraw(const ObjectRef& owner, const std::vector<feed::Item>& items, Items& outdated);
  void publish(const ObjectRef& owner, feed::Item item, Items& outdated, Difference& difference);

  Items current_;
  std::map<ObjectRef, std::vector<std::string>> keys_;  // by owner
  std::map<ObjectRef, std::vector<feed::Item>> staged_;
};

}  // namespace kg::ingress
