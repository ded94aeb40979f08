#include "routing/controller/kube/list_page.h"

#include <utility>

#include "routing/controller/kube/limits.h"
#include "routing/controller/kube/object.h"

namespace kg::kube {

using Json = nlohmann::json;

bool belongs_to(const Json& object, const Selection& selection) {
  const std::optional<ObjectHead> head = head_of(object);
  if (!head) return false;
  const auto kind = object.find("kind");
  const std::string& wanted = selection.namespace_name;
  return kind != object.end() && *kind == selection.resource.kind &&
         (wanted.empty() || head->namespace_name == wanted);
}

std::optional<ListPage> read_list(std::string_view text, const Selection& selection) {
  std::optional<Json> list = parse_json(text);
  if (!list || !list->is_object()) return std::nullopt;
  ListPage page;
  page.resource_version = version_of(*list);
  if (page.resource_version.empty()) return std::nullopt;
  const Json& metadata = (*list)["metadata"];
  if (const auto next = metadata.find("continue"); next != metadata.end()) {
    if (!next->is_string()) return std::nullopt;
    page.next = next->get_ref<const std::string&>();
    if (page.next.size() > kContinueBytesMax) return std::nullopt;
  }
  const auto items = list->find("items");
  if (items == list->end() || !(items->is_array() || items->is_null())) return std::nullopt;
  for (Json& item : *items) {
    if (!item.is_object()) return std::nullopt;
    item.emplace("kind", selection.resource.kind);
    item.emplace("apiVersion", selection.resource.api_version());
    if (!belongs_to(item, selection)) return std::nullopt;
    strip(item);
    page.items.push_back(std::move(item));
  }
  return page;
}

}  // namespace kg::kube
