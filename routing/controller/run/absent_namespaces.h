// AbsentNamespaces: whether a namespace where nothing may be listed is there at all.
//
// One that is deleted takes its RoleBindings with it: the server answers lists there with 403 for
// good, as where a right is missing. It has no objects, so nobody has to wait for them. Of a
// namespace itself the server tells who may `get` namespaces; without that right all is as if it
// were there.
//
// Owner: Sources. Thread: the loop's. Limits: one call for each namespace that was asked for.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "routing/controller/kube/client.h"

namespace kg::controller {

class AbsentNamespaces {
 public:
  // `on_absent` hears of each that the server says is not there.
  AbsentNamespaces(event::EventLoop& loop, kube::Client& client,
                   std::function<void(const std::string& name)> on_absent)
      : loop_(loop), client_(client), on_absent_(std::move(on_absent)) {}

  // Unless that is under way.
  void ask(const std::string& name);

 private:
  void on_answer(const std::string& name, const kube::Reply& reply);

  event::EventLoop& loop_;
  kube::Client& client_;
  const std::function<void(const std::string&)> on_absent_;
  std::map<std::string, std::unique_ptr<kube::Call>> calls_;
};

}  // namespace kg::controller
