#include "routing/announced_certificate.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/names.h"
#include "config/values.h"
#include "proxy/tls/tls_context.h"
#include "routing/announced.h"
#include "routing/feed/message.h"

namespace kg::routing {
namespace {

using CertificateJson = nlohmann::json;

std::string* text_in(CertificateJson& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || !found->is_string() ? nullptr : &found->get_ref<std::string&>();
}

std::string read_hosts(const CertificateJson& payload, std::vector<std::string>& out) {
  const auto hosts = payload.find("hosts");
  if (hosts == payload.end() || !hosts->is_array()) return "\"hosts\" is no array";
  if (hosts->empty()) return "\"hosts\" is empty";
  if (hosts->size() > kAnnouncedHostsMax) return "\"hosts\" is too long";
  for (const CertificateJson& host : *hosts) {
    if (!host.is_string()) return "a host is no text";
    config::Parsed<std::string> parsed =
        config::parse_route_host(host.get_ref<const std::string&>(), config::KeyInfo{});
    if (!parsed.value) return "a host is none";
    out.push_back(std::move(*parsed.value));
  }
  return "";
}

std::string read_into(std::string_view payload, tls::AnnouncedCertificate& out) {
  if (payload.size() > kAnnouncedBytesMax) return "is larger than 1 MiB";
  CertificateJson json = CertificateJson::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return "is no JSON object";
  tls::CertificateText text;
  std::string* key = text_in(json, "key");
  if (key != nullptr) text.key = Secret(std::exchange(*key, ""));
  const auto schema = json.find("schema");
  if (schema == json.end() || *schema != feed::kSchema) return "is of another schema";
  const std::string* kind = text_in(json, "kind");
  if (kind == nullptr || *kind != "certificate") return "is no certificate";
  const std::string* chain = text_in(json, "chain");
  if (chain == nullptr || key == nullptr) return "lacks its chain or key";
  text.file = "tls.crt";
  text.key_file = "tls.key";
  text.chain = *chain;
  std::string problem = read_hosts(json, out.hosts);
  if (!problem.empty()) return problem;
  out.certificate = tls::Certificate::parse(text, problem);
  if (out.certificate == nullptr) return problem;
  return tls::TlsContext::fault_of(*out.certificate);
}

}  // namespace

ReadCertificate read_announced_certificate(std::string_view key, std::string_view payload) {
  auto made = std::make_shared<tls::AnnouncedCertificate>();
  made->identity = crypto::sha256("kernelgate certificate ", key);
  std::string problem = read_into(payload, *made);
  if (!problem.empty()) return {nullptr, std::move(problem)};
  return {std::move(made), ""};
}

}  // namespace kg::routing
