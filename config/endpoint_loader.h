// Loads one endpoint that comes as a text of its own, and not from the configuration file: what an
// Ingress announces. The keys are those of `endpoints[]`, read through the same schema.
//
// Its routes and pods come beside the text, so `hosts`, `path_prefix` and `gateway.pods` are
// refused in it and empty in the result. A file is named "feed:NAME", and NAME stands in `texts`;
// names of this machine's own files are refused, because the text may be a stranger's.
//
// Keys that the schema does not have are errors, or warnings: `unknown_keys`. Values that a key
// does not take are errors either way.
//
// Thread: any. Limits: those of config/yaml_tree.h, within unknown keys too. What needs the whole
// configuration (do listeners ask for client certificates, is a load balancer trusted) is for the
// caller.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/files.h"
#include "config/problems.h"

namespace kg::config {

struct LoadedEndpoint {
  std::optional<Endpoint> endpoint;  // only if no entry of `errors` is more than a warning
  std::vector<ConfigError> errors;   // keys as in "gateway.token_file"
};

// `text`: one map, in JSON or YAML.
LoadedEndpoint load_endpoint(std::string_view text, const Texts& texts,
                             UnknownKeys unknown_keys = UnknownKeys::kRefused);

}  // namespace kg::config
