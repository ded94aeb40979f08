// Items of the feed as controllers publish them: endpoints and certificates without fault.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "routing/feed/item.h"
#include "tests/unit/routing/announced_payload.h"
#include "tests/unit/tls/certificates.h"

namespace kg::routing {

inline feed::Item endpoint_item(const nlohmann::json& payload) {
  const std::string id = payload.at("id");
  return {"endpoint/analytics/" + id, "analytics", id,
          std::make_shared<const std::string>(payload.dump())};
}

inline std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

inline nlohmann::json certificate_payload(const tls::CertificateFiles& files,
                                          const std::vector<std::string>& hosts) {
  return {{"schema", 1},
          {"kind", "certificate"},
          {"namespace", "analytics"},
          {"hosts", hosts},
          {"chain", text_of(files.certificate)},
          {"key", text_of(files.private_key)}};
}

inline feed::Item certificate_item(const std::string& name, const nlohmann::json& payload) {
  return {"certificate/analytics/" + name, "analytics", "",
          std::make_shared<const std::string>(payload.dump())};
}

}  // namespace kg::routing
