#include <fmt/core.h>

#include "proxy/server/commands.h"
#include "routing/feed/keys.h"

namespace kg::server {

int new_keys_command(const std::string& file) {
  const feed::KeyPair keys = feed::make_keys();
  const std::string problem = feed::write_keys(file, keys);
  if (!problem.empty()) {
    fmt::print(stderr, "kernelgate keys new: {}\n", problem);
    return 1;
  }
  fmt::print("{}\n", keys.public_key);
  return 0;
}

}  // namespace kg::server
