// An endpoint of the feed without fault: host ID.test, one pod.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/auth/session_fixture.h"

namespace kg::routing {

inline nlohmann::json announced_payload(const std::string& id) {
  using nlohmann::json;
  static const auth::forge::TestKey key = auth::forge::TestKey::ec();
  return {
      {"schema", 1},
      {"kind", "endpoint"},
      {"id", id},
      {"namespace", "analytics"},
      {"config",
       {{"id", id},
        {"virtual_cluster", "analytics"},
        {"gateway", {{"token_file", "feed:token"}, {"replication", true}}},
        {"sessions",
         {{"jwt",
           {{"issuer", "https://studio.test"},
            {"audience", "kernelgate"},
            {"keys_file", "feed:keys"}}}}}}},
      {"files", {{"token", "gateway-secret\n"}, {"keys", key.public_pem()}}},
      {"routes", json::array({{{"host", id + ".test"}, {"path", "/"}, {"type", "Prefix"}}})},
      {"pods", json::array({{{"name", "jeg-0"},
                             {"uid", "0b0e7d0c-77aa-4a6e-b3f4-4d6e0c7c0001"},
                             {"address", "10.0.0.1:8888"},
                             {"ready", true},
                             {"serving", true},
                             {"terminating", false}}})},
  };
}

}  // namespace kg::routing
