// Compiler: from the objects of a cluster to what the feed publishes, and what is to be said of it.
//
// Owner: the controller, or `kernelgate-controller check`. Thread: one. Nothing here does I/O,
// reads a clock or depends on the order in which objects came; only the last good configuration of
// an endpoint, of a certificate and of a class's parameters is remembered from before. Cost: put
// and erase note who has to look again, run() compiles those Ingresses and no others: the cost of
// an edit is that of the objects that it concerns, not of all.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "routing/controller/ingress/evaluation.h"
#include "routing/feed/item.h"

namespace kg::ingress {

struct Changes {
  std::vector<feed::Item> items;     // new, or with another payload
  std::vector<std::string> removed;  // keys
  std::vector<ObjectRef> judged;     // whose findings are other ones than before
  size_t compiled = 0;               // Ingresses that were looked at
};

class Compiler {
 public:
  explicit Compiler(Settings settings = {});
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  // Items of a list have no kind of their own, so it is said apart.
  void put(Kind kind, const Json& object);
  void erase(const ObjectRef& ref);
  bool has_work() const noexcept {
    return classes_due_ || !dirty_.empty() || !certificates_due_.empty();
  }
  Changes run();

  // Everything that is published now: a snapshot for a new subscriber, by key.
  std::vector<feed::Item> items() const;
  // What is published under that key, nullptr: nothing. Until the next run().
  const feed::Item* item(const std::string& key) const;
  // Of any object; empty where nothing is wrong.
  const std::vector<Finding>& findings(const ObjectRef& ref) const;
  // nullptr: not ours.
  const IngressView* view(const ObjectName& ingress) const;
  // Ours, by name; those that are observed included.
  std::vector<ObjectName> ours() const;
  // All objects with findings.
  std::vector<ObjectRef> judged() const;

 private:
  struct Entry {
    std::optional<ResolvedClass> resolved;
    std::optional<IngressSource>
        named;  // the source, its rules having hosts by the class's template
    Ids ids;
    Memory memory;
    IngressView view;
    std::vector<std::string> keys;  // of its items
    std::set<ObjectRef> needs;
    std::string class_name;  // as its spec has it: by_class_
  };
  struct CertificateState {
    std::optional<CertificateView> present;                // none: to be read
    CertificateView good;                                  // usable, if any was
    std::map<ObjectName, std::vector<std::string>> hosts;  // by Ingress
  };
  struct Current {
    feed::Item item;
    ObjectName owner;
  };
  using Outdated = std::map<std::string, Current>;

  const IngressSource* source_of(const ObjectName& name) const;
  void touch(const ObjectRef& ref);
  void touch_class(const std::string& name);
  void touch_classes();
  void refresh_classes(Changes& changes);
  Claimant resolve(const ObjectName& name);
  void compile(const ObjectName& name, std::vector<Published>& items);
  void set_needs(const ObjectName& name, Entry& entry, std::set<ObjectRef> needs);
  void set_certificates(const ObjectName& name, Entry& entry,
                        const std::vector<CertificateHosts>& wanted);
  const CertificateView& certificate(const ObjectName& secret);
  void report(const ObjectRef& ref, std::vector<Finding> findings, Changes& changes);
  void withdraw(const ObjectName& name, Entry& entry, const std::vector<Published>& items,
                Outdated& outdated);
  void publish(const ObjectName& owner, feed::Item item, Outdated& outdated, Changes& changes);
  void publish_certificates(Outdated& outdated, Changes& changes);
  void forget(const ObjectName& name);

  const Settings settings_;
  Store store_;
  Classes classes_;
  Holdings holdings_;
  Surroundings around_;
  std::map<ObjectName, Entry> entries_;
  std::map<std::string, std::set<ObjectName>> by_class_;
  std::map<ObjectRef, std::set<ObjectName>> needed_by_;
  std::map<ObjectName, CertificateState> certificates_;
  std::map<std::string, Current> current_;  // by key
  std::map<ObjectRef, std::vector<Finding>> findings_;
  std::set<ObjectName> dirty_;
  std::set<ObjectName> certificates_due_;
  bool classes_due_ = true;
};

}  // namespace kg::ingress
