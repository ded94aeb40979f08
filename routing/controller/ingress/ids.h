// Ids of endpoints: lower-case letters and digits, at most 64 of them (domain E3).
//
// The annotation names the endpoint of the first target in the order of the rules. Without it the
// id is what stands behind the class's endpoint-id-prefix in the Ingress's name, else the name's
// letters and digits with a digest of namespace and name. Every further target has the first one's
// id with a digest of namespace, name, Service and port behind: it stays when rules are added or
// moved, and no two have the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routing/controller/ingress/parameters.h"
#include "routing/controller/ingress/source.h"

namespace kg::ingress {

bool is_id(std::string_view text);

struct Ids {
  std::vector<std::string> of_targets;  // as IngressSource::targets; empty: none can be had
  std::string base;                     // of the first
  bool is_annotated = false;
  bool is_invalid = false;  // the annotation is; then `last` is used
};
// `last`: the base of before, "" if there was none.
Ids ids_of(const IngressSource& ingress, const Parameters& parameters, const std::string& last);

}  // namespace kg::ingress
