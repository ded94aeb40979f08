#include "routing/controller/run/absent_namespaces.h"

#include <utility>

#include "proxy/base/log.h"
#include "routing/controller/ingress/object.h"
#include "routing/controller/kube/object.h"
#include "routing/controller/kube/selection.h"

namespace kg::controller {
namespace {

// The API server's own word, and not that of something on the way to it.
bool says_absent(const kube::Reply& reply, const std::string& name) {
  if (reply.status != kube::kNotFound) return false;
  const auto status = kube::parse_json(reply.body);
  if (!status) return false;
  const nlohmann::json& details = ingress::member(*status, "details");
  return ingress::text(*status, "reason") == "NotFound" &&
         ingress::text(details, "kind") == "namespaces" && ingress::text(details, "name") == name;
}

}  // namespace

void AbsentNamespaces::ask(const std::string& name) {
  std::unique_ptr<kube::Call>& call = calls_[name];
  if (call != nullptr) return;
  kube::CallRequest request;
  request.target = kube::collection_path({"", "v1", "namespaces", "Namespace"}, "") + "/" + name;
  call = client_.send(std::move(request),
                      [this, name](const kube::Reply& reply) { on_answer(name, reply); });
}

void AbsentNamespaces::on_answer(const std::string& name, const kube::Reply& reply) {
  const auto asked = calls_.find(name);
  loop_.defer_delete(std::move(asked->second));
  calls_.erase(asked);
  if (!says_absent(reply, name)) return;
  log::error("kube",
             "namespace {} is not there: nothing is waited for in it; give up its --namespace, or "
             "make it and bind the role there",
             name);
  on_absent_(name);
}

}  // namespace kg::controller
