// Who may be fed what: the list is read whole or refused, and lets in only keys that stand in it.
#include "routing/feed/keys.h"
#include "routing/feed/limits.h"
#include "routing/feed/resolver.h"
#include "routing/feed/scope.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  std::string problem;
  const auto scope = feed::Scope::parse(input, problem);
  KG_ASSERT(scope.has_value() == problem.empty());
  if (scope) KG_ASSERT(scope->sees("", "") && scope->sees("never", "named") == (input == "all"));
  if (scope) {
    KG_ASSERT(feed::Scope::parse(scope->text(), problem) == scope);
    for (const auto& [name, endpoint] : scope->places()) {
      KG_ASSERT(scope->speaks_for(name, endpoint) && scope->sees(name, endpoint));
    }
  }
  problem.clear();
  const auto list = feed::AllowList::parse(input, problem);
  KG_ASSERT(list.has_value() == problem.empty());
  if (list) {
    KG_ASSERT(list->size() <= feed::kAllowedKeysMax && list->find("") == nullptr);
    const std::string_view line = input.substr(0, input.find('\n'));
    if (list->find(line.substr(0, 40)) != nullptr) KG_ASSERT(line.size() > 41);
  }
  feed::is_key(input);
  const auto controller = feed::Controller::parse(input);
  if (controller) KG_ASSERT(controller->port > 0 && is_within(controller->host, controller->host));
}

}  // namespace kg::fuzz
