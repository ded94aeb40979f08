// A page of a list: each item can be kept, and belongs to what was asked for.
#include "routing/controller/kube/list_page.h"
#include "routing/controller/kube/object.h"
#include "routing/controller/kube/object_store.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const kube::Selection selection{{"", "v1", "secrets", "Secret"}, "a", "", ""};
  std::optional<kube::ListPage> page = kube::read_list(input, selection);
  if (const auto status = kube::parse_json(input)) {
    const kube::Failure failure = kube::failure_of(*status);
    KG_ASSERT(failure.code == 0 || (failure.code >= 100 && failure.code < 600));
  }
  if (!page) return;
  KG_ASSERT(!page->resource_version.empty());
  kube::ObjectStore store;
  for (const nlohmann::json& item : page->items) {
    KG_ASSERT(kube::belongs_to(item, selection));
    const auto head = kube::head_of(item);
    KG_ASSERT(head->namespace_name == "a" && !head->name.empty());
    KG_ASSERT(item.at("kind") == "Secret" && !item.at("metadata").contains("managedFields"));
    const kube::ObjectStore::Key key{"a", std::string(head->name)};
    store.put(item);
    KG_ASSERT(store.find(key) != nullptr && store.see(item));
  }
}

}  // namespace kg::fuzz
