#include "config/endpoint_loader.h"

#include <utility>

#include "config/endpoint_reader.h"
#include "config/section.h"
#include "config/yaml_tree.h"

namespace kg::config {
namespace {

constexpr const char* kName = "endpoint";             // instead of a file's, in messages
constexpr size_t kTextBytesMax = size_t{256} * 1024;  // an object of Kubernetes has 1 MiB for all

}  // namespace

LoadedEndpoint load_endpoint(std::string_view text, const Texts& texts, UnknownKeys unknown_keys) {
  Problems problems(kName, unknown_keys);
  LoadedEndpoint loaded;
  Endpoint endpoint;
  if (text.size() > kTextBytesMax) {
    problems.error({}, "is larger than 256 KiB", "shorten its lists");
  } else if (const auto tree = parse_tree(text, problems)) {
    endpoint = read_lone_endpoint(Section(*tree, "endpoints[]", problems), Files(texts));
  }
  if (!problems.has_errors()) loaded.endpoint = std::move(endpoint);
  loaded.errors = problems.take();
  return loaded;
}

}  // namespace kg::config
