#include <fmt/core.h>

#include "proxy/server/commands.h"
#include "proxy/server/key_files.h"
#include "routing/fleet_keys.h"

namespace kg::server {
namespace {

int keys_fail(const std::string& sentence) {
  fmt::print(stderr, "kernelgate keys: {}\n", sentence);
  return 1;
}

}  // namespace

int new_keys_command(routing::KeyKind kind, const std::string& file) {
  const routing::KeyTexts keys = routing::new_keys(kind);
  const std::string problem = KeyFiles(file).make(keys);
  if (!problem.empty()) return keys_fail(problem);
  if (const std::string key = routing::public_key_of(keys); !key.empty()) fmt::print("{}\n", key);
  return 0;
}

int rotate_keys_command(routing::KeyKind kind, const std::string& file) {
  KeyFiles files(file);
  routing::KeyTexts before;
  std::string problem = files.lock();
  if (problem.empty()) problem = files.read(before);
  if (!problem.empty()) return keys_fail(problem);
  const auto keys = routing::rotated_keys(kind, before, problem);
  if (!keys) {
    return keys_fail(fmt::format("{}: {}; is it a file of --kind {}?", file, problem,
                                 routing::key_kind_name(kind)));
  }
  problem = files.replace(*keys);
  if (!problem.empty()) return keys_fail(problem);
  if (const std::string key = routing::next_public_key_of(*keys); !key.empty())
    fmt::print("{}\n", key);
  return 0;
}

}  // namespace kg::server
