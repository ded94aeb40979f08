#include "routing/policy_compiler.h"

#include "proxy/base/assert.h"

namespace kg::routing {
namespace {

auth::People people(const config::People& wanted) {
  return {wanted.realms, wanted.subjects, wanted.groups, wanted.claims};
}

// Names are those that the configuration lets pass.
auth::OperationSet operations(const std::vector<std::string>& names) {
  auth::OperationSet out;
  for (const std::string& name : names) {
    if (name == "*") return auth::OperationSet::all();
    const auto operation = kernel::operation_named(name);
    KG_ASSERT(operation.has_value());
    out = out.with(*operation);
  }
  return out;
}

}  // namespace

auth::Policy compile_policy(const config::Endpoint& wanted) {
  auth::Policy out;
  out.endpoint_id = wanted.id;
  out.virtual_cluster = wanted.virtual_cluster;
  out.execution_role_arn = wanted.execution_role_arn;
  out.allowed = people(wanted.policy.allow);
  out.support = people(wanted.policy.support);
  for (const config::OperationRule& rule : wanted.policy.rules) {
    out.rules.push_back({operations(rule.operations), people(rule.people), rule.allow});
  }
  out.specs = wanted.specs;
  return out;
}

}  // namespace kg::routing
