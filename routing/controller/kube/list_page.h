// One page of a list (meta/v1 ListMeta), read whole or not at all.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/controller/kube/selection.h"

namespace kg::kube {

struct ListPage {
  std::string resource_version;
  std::string next;  // the continue token, "" on the last page
  std::vector<nlohmann::json> items;
};

// nullopt: no list, or one item of it is not an object of that selection. Items are stripped, and
// get kind and apiVersion, which lists leave out.
std::optional<ListPage> read_list(std::string_view text, const Selection& selection);

// Whether an object can be one of that selection: kind and namespace are its.
bool belongs_to(const nlohmann::json& object, const Selection& selection);

}  // namespace kg::kube
