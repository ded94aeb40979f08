// Compiler: from the objects of a cluster to what the feed publishes, and what is to be said of it.
//
// Owner: the controller, or `kernelgate-controller check`. Thread: one. Nothing here does I/O or
// reads a clock. What comes out is a function of the objects and of what was so before the run: who
// had what (holdings.h), and the last good configuration of an endpoint, of a certificate and of a
// class's parameters. All of it but certificates can be taken to another compiler. Cost: put
// and erase note who has to look again, run() compiles those Ingresses and no others: the cost of
// an edit is that of the objects that it concerns, not of all. What concerns many is compiled in
// slices, for whoever has other things to do meanwhile.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "routing/controller/ingress/certificates.h"
#include "routing/controller/ingress/evaluation.h"
#include "routing/controller/ingress/publication.h"
#include "routing/controller/ingress/shares.h"
#include "routing/feed/item.h"

namespace kg::ingress {

struct Changes {
  std::vector<feed::Item> items;     // new, or with another payload
  std::vector<std::string> removed;  // keys
  std::vector<ObjectRef> judged;     // whose findings are other ones than before
  size_t compiled = 0;               // Ingresses that were looked at
  // False: more are to be looked at by further calls of run(), and until then nothing is said.
  bool is_whole = true;
};

class Compiler {
 public:
  explicit Compiler(Settings settings = {});
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  // Items of a list have no kind of their own, so it is said apart.
  Kept put(Kind kind, const Json& object);
  void erase(const ObjectRef& ref);
  // Looks at so many Ingresses at most, but for those that hear of others' places at the end. What
  // is put and erased between two slices is looked at with the rest.
  Changes run(size_t ingresses_max = SIZE_MAX);

  // What another one remembered. With the next run(), of the objects that are known by then: who
  // had something has it again, and what was good once is good where none is known here.
  void recall(const Recollection& recollection);
  Recollection recollection() const;

  // Everything that is published now: a snapshot for a new subscriber, by key.
  std::vector<feed::Item> items() const { return publication_.items(); }
  // What is published under that key, nullptr: nothing. Until the next run().
  const feed::Item* item(const std::string& key) const { return publication_.item(key); }
  // The Ingress or Secret that it comes from; nullptr: nothing is published under it.
  const ObjectRef* owner_of(const std::string& key) const { return publication_.owner_of(key); }
  // Of any object; empty where nothing is wrong.
  const std::vector<Finding>& findings(const ObjectRef& ref) const;
  // nullptr: not ours.
  const IngressView* view(const ObjectName& ingress) const;
  // Ours, by name; those that are observed included.
  std::vector<ObjectName> ours() const;
  // All objects with findings.
  std::vector<ObjectRef> judged() const;
  // Ingresses and Secrets for which their namespace, or the feed, has no room.
  size_t left_out() const noexcept { return shares_.left_out() + host_shares_.left_out(); }
  // Namespaces with so many objects of that kind that some are not kept.
  size_t full(Kind kind) const noexcept { return store_.room(kind).full(); }
  // Whether objects of that kind that were not kept are to be put once more: one of those
  // namespaces has half of its room again. Asked once, it is not full any more.
  bool open_again(Kind kind) { return store_.room(kind).open_again(); }

 private:
  struct Entry {
    std::optional<ResolvedClass> resolved;
    // The source, its rules having hosts by the class's template.
    std::optional<IngressSource> named;
    Ids ids;
    Memory memory;
    IngressView view;
    std::set<ObjectRef> needs;
    std::string class_name;  // as its spec has it: by_class_
  };
  using Refs = std::set<ObjectRef>;
  using Names = std::set<ObjectName>;
  struct Turn {  // what is looked at and made until it is published
    Names ingresses;
    Names secrets;
    std::map<ObjectName, std::vector<feed::Item>> made;  // by Ingress
    // To be made. The oldest first, so that what has no place is not kept until the end.
    std::set<std::pair<std::string, ObjectName>> queue;
    Changes changes;
  };

  void remember(const ObjectName& name, const Entry& entry);
  const IngressSource* source_of(const ObjectName& name) const;
  std::string secret_for(const ObjectName& ingress, const std::string& host) const;
  void touch(const ObjectRef& ref);
  void touch_class(const std::string& name);
  void touch_classes();
  void refresh_classes(Changes& changes);
  void resolve(const ObjectName& name);
  void claim(Names& due);
  Claimant claimant(const ObjectName& name) const;
  void enqueue(const Names& names);
  void make(const ObjectName& name, Turn& turn);
  std::vector<feed::Item> compile(const ObjectName& name, Entry& entry);
  void offer_certificate(const ObjectName& secret, Turn& turn);
  void publish(Turn& turn, Changes& changes);
  void publish_certificate(const ObjectName& secret, Changes& changes);
  void set_needs(const ObjectName& name, Entry& entry, Refs needs);
  void report(const ObjectRef& ref, std::vector<Finding> findings, Changes& changes);

  const Settings settings_;
  Store store_;
  Classes classes_;
  Holdings holdings_;
  Shares host_shares_;
  Shares shares_;
  Certificates certificates_;
  Judgements judgements_;
  Publication publication_;
  Surroundings around_;
  std::map<ObjectName, Entry> entries_;
  std::map<std::string, Names> by_class_;
  std::map<ObjectRef, Names> needed_by_;
  std::map<ObjectRef, std::vector<Finding>> findings_;
  std::map<ObjectName, IngressMemory> recalled_;    // for the next run
  std::map<ObjectName, IngressMemory> exceptions_;  // what is to be remembered of each
  Names dirty_;
  Turn turn_;  // of the slices so far
  bool classes_due_ = true;
};

}  // namespace kg::ingress
