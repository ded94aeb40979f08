#include "routing/controller/ingress/payload.h"

#include "routing/feed/message.h"

namespace kg::ingress {
namespace {

// What is no UTF-8 is no text of a file that anybody reads: it must not end the process.
std::string dump(const Json& payload) {
  return payload.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string endpoint_key(const std::string& space, const std::string& id) {
  return "endpoint/" + space + "/" + id;
}

std::string certificate_key(const ObjectName& secret) {
  return "certificate/" + secret.space + "/" + secret.name;
}

std::string payload_of(const EndpointPayload& endpoint) {
  Json out{{"schema", feed::kSchema}, {"kind", "endpoint"}};
  out["id"] = endpoint.id;
  out["namespace"] = endpoint.space;
  out["config"] = Json::parse(endpoint.config, nullptr, /*allow_exceptions=*/false);
  out["files"] = endpoint.texts;
  Json& routes = out["routes"] = Json::array();
  for (const Route& route : endpoint.routes) {
    routes.push_back({{"host", route.host},
                      {"path", route.path},
                      {"type", route.type == PathType::kExact ? "Exact" : "Prefix"}});
  }
  Json& pods = out["pods"] = Json::array();
  for (const PodEntry& pod : endpoint.pods) {
    pods.push_back({{"name", pod.name},
                    {"uid", pod.uid},
                    {"address", pod.address},
                    {"ready", pod.ready},
                    {"serving", pod.serving},
                    {"terminating", pod.terminating}});
  }
  return dump(out);
}

std::string payload_of(const ObjectName& secret, const std::vector<std::string>& hosts,
                       const CertificateView& certificate) {
  Json out{{"schema", feed::kSchema}, {"kind", "certificate"}};
  out["namespace"] = secret.space;
  out["hosts"] = hosts;
  out["chain"] = certificate.chain;
  out["key"] = certificate.key.reveal();
  return dump(out);
}

}  // namespace kg::ingress
