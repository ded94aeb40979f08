// SessionCounts: open WebSockets by endpoint and user, counted over workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

namespace kg::server {

struct SessionCount {
  size_t websockets = 0;
  int64_t expires_at = 0;  // the latest of them
};

// By endpoint, realm, subject.
using SessionCounts = std::map<std::tuple<std::string, std::string, std::string>, SessionCount>;

}  // namespace kg::server
