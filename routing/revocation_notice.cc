#include "routing/revocation_notice.h"

#include <nlohmann/json.hpp>

#include "proxy/base/limits.h"

namespace kg::routing {
namespace {

constexpr std::string_view kRevoke = "revoke ";
constexpr std::string_view kUnrevoke = "unrevoke ";

}  // namespace

std::string RevocationNotice::text() const {
  return std::string(revoked ? kRevoke : kUnrevoke) + revocation.json();
}

std::optional<RevocationNotice> RevocationNotice::parse(std::string_view text) {
  RevocationNotice out;
  out.revoked = text.starts_with(kRevoke);
  if (!out.revoked && !text.starts_with(kUnrevoke)) return std::nullopt;
  text.remove_prefix(out.revoked ? kRevoke.size() : kUnrevoke.size());
  auth::Revocation::Parsed parsed = auth::Revocation::parse(text);
  if (!parsed.revocation) return std::nullopt;
  out.revocation = std::move(*parsed.revocation);
  return out;
}

std::string revocations_payload(const std::vector<auth::Revocation>& entries) {
  std::string out = "{\"schema\":1,\"kind\":\"revocations\",\"entries\":[";
  for (const auth::Revocation& entry : entries) {
    if (out.back() != '[') out += ',';
    out += entry.json();
  }
  return out += "]}";
}

std::optional<std::vector<auth::Revocation>> read_revocations_payload(std::string_view payload) {
  const nlohmann::json json = nlohmann::json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("schema", nlohmann::json()) != 1) return std::nullopt;
  const auto list = json.find("entries");
  if (list == json.end() || !list->is_array() || list->size() > limits::kRevocationsMax) {
    return std::nullopt;
  }
  std::vector<auth::Revocation> entries;
  for (const nlohmann::json& value : *list) {
    auth::Revocation::Parsed parsed = auth::Revocation::parse(value.dump());
    if (!parsed.revocation) return std::nullopt;
    entries.push_back(std::move(*parsed.revocation));
  }
  return entries;
}

}  // namespace kg::routing
