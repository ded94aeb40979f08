// Sources: all that a controller lists and watches, and whether it has come.
//
// Of each kind one list in each namespace. Of ConfigMaps those alone that IngressClasses of ours
// name for their parameters, each by its name: whatever else tenants keep in ConfigMaps is never
// asked for. A class that names one is told once that one is listed, so that it is never without
// parameters that are there.
//
// A namespace that is not there has nothing to wait for; one that may not be listed has.
// Owner:  the controller. Thread: the loop's. Limits: kParameterMapsMax ConfigMaps. Errors: of
//         lists, retried and told by waiting().
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "proxy/event/event_loop.h"
#include "proxy/event/watcher.h"
#include "routing/controller/ingress/object.h"
#include "routing/controller/kube/client.h"
#include "routing/controller/kube/reflector.h"
#include "routing/controller/run/absent_namespaces.h"
#include "routing/controller/run/exporter.h"

namespace kg::controller {

// Each takes a watch. A class beyond them is without parameters, and serves nobody.
inline constexpr size_t kParameterMapsMax = 256;

// Between looks at what is forbidden, for namespaces that are not there.
inline constexpr uint32_t kAbsentLookMs = 500;

class SourceHandler {
 public:
  // False: nothing of it is kept.
  virtual bool on_object(ingress::Kind kind, const nlohmann::json& object) = 0;
  virtual void on_gone(const ingress::ObjectRef& ref) = 0;
  virtual void on_synced() = 0;  // once: every first list is complete

 protected:
  ~SourceHandler() = default;
};

class Sources {
 public:
  struct Options {
    std::vector<std::string> namespaces;  // empty: all of the cluster
    std::string controller;               // of our classes
    std::optional<ingress::ObjectName> observed_parameters;
  };
  Sources(event::EventLoop& loop, kube::Client& client, Options options, SourceHandler& handler);
  ~Sources();
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  void start();
  // What was not kept of that kind may be now.
  void relist(ingress::Kind kind);

  bool synced() const noexcept { return synced_; }
  // Of what is kept, "" of all else.
  std::string uid_of(const ingress::ObjectRef& ref) const;
  std::vector<KindFact> facts() const;
  // First lists that fail: what, where, and why.
  std::vector<ListProblem> waiting() const;
  // What the API server refuses to list or watch for want of a right, of later lists too.
  std::vector<ListProblem> forbidden() const;

 private:
  class Source;  // one reflector, and which kind its objects are

  bool watches(const std::string& namespace_name) const;
  bool take(ingress::Kind kind, const nlohmann::json& object);
  bool take_class(const nlohmann::json& object);
  void lose(const ingress::ObjectRef& ref);
  void listed(const Source& source);
  bool is_listed(const ingress::ObjectName& map) const;
  bool follow(const ingress::ObjectName& map);
  void unfollow();
  void ask_for_absent();
  void assume_empty(const std::string& namespace_name);
  void look();
  template <class Use>
  void for_each(Use&& use) const;

  event::EventLoop& loop_;
  kube::Client& client_;
  const Options options_;
  SourceHandler& handler_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::map<ingress::ObjectName, std::unique_ptr<Source>> maps_;  // ConfigMaps
  std::map<std::string, ingress::ObjectName> named_;             // by class of ours
  std::map<std::string, nlohmann::json> held_;  // classes whose ConfigMap is not listed yet
  bool synced_ = false;
  AbsentNamespaces absent_;
  event::Timer absent_look_;  // while not synced
};

}  // namespace kg::controller
