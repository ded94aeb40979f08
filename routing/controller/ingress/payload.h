// The payloads of feed items, schema feed::kSchema. Equal inputs make equal texts.
#pragma once

#include <string>
#include <vector>

#include "config/files.h"
#include "routing/controller/ingress/certificate.h"
#include "routing/controller/ingress/pods.h"
#include "routing/controller/ingress/source.h"

namespace kg::ingress {

struct Route {
  std::string host;  // "" any, "*.example.com"
  std::string path;
  PathType type = PathType::kPrefix;

  bool operator==(const Route&) const = default;
};

std::string endpoint_key(const std::string& space, const std::string& id);
std::string certificate_key(const ObjectName& secret);

struct EndpointPayload {
  const std::string& id;
  const std::string& space;
  const std::string& config;  // JSON
  const config::Texts& texts;
  const std::vector<Route>& routes;
  const std::vector<PodEntry>& pods;
};
std::string payload_of(const EndpointPayload& endpoint);
std::string payload_of(const ObjectName& secret, const std::vector<std::string>& hosts,
                       const CertificateView& certificate);

}  // namespace kg::ingress
