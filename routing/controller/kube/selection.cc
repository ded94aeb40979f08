#include "routing/controller/kube/selection.h"

#include "proxy/base/ascii.h"

namespace kg::kube {
namespace {

void add_parameter(std::string& target, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += name;
  target += '=';
  ascii::percent_encode(value, target);
}

std::string selected(const Selection& selection) {
  std::string target = collection_path(selection.resource, selection.namespace_name);
  add_parameter(target, "labelSelector", selection.label_selector);
  add_parameter(target, "fieldSelector", selection.field_selector);
  return target;
}

}  // namespace

std::string Resource::api_version() const {
  return group.empty() ? version : group + "/" + version;
}

std::string Selection::text() const {
  std::string out = resource.plural;
  if (!resource.group.empty()) out += "." + resource.group;
  return out + (namespace_name.empty() ? "" : " in " + namespace_name);
}

std::string collection_path(const Resource& resource, std::string_view namespace_name) {
  std::string path = (resource.group.empty() ? "/api/" : "/apis/") + resource.api_version() + "/";
  if (!namespace_name.empty()) {
    path += "namespaces/";
    ascii::percent_encode(namespace_name, path);
    path += '/';
  }
  return path + resource.plural;
}

// Without a resourceVersion: the newest, so that nothing goes backwards, and page by page.
std::string list_target(const Selection& selection, uint32_t objects_max, std::string_view next) {
  std::string target = selected(selection);
  add_parameter(target, "limit", std::to_string(objects_max));
  add_parameter(target, "continue", next);
  return target;
}

std::string watch_target(const Selection& selection, std::string_view resource_version,
                         uint32_t seconds) {
  std::string target = selected(selection);
  add_parameter(target, "watch", "true");
  add_parameter(target, "allowWatchBookmarks", "true");
  add_parameter(target, "resourceVersion", resource_version);
  add_parameter(target, "timeoutSeconds", std::to_string(seconds));
  return target;
}

}  // namespace kg::kube
