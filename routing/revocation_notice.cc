#include "routing/revocation_notice.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/base/limits.h"
#include "routing/feed/scope.h"

namespace kg::routing {
namespace {

constexpr std::string_view kRevoke = "revoke ";
constexpr std::string_view kUnrevoke = "unrevoke ";

// Of a list; three are known, and what is not known stands in one of them.
constexpr int kListDepthMax = 8;

// As it is told within its scope, which need not be said.
std::string told_json(const auth::Revocation& entry) {
  auth::Revocation told = entry.marked();
  told.scope.clear();
  return told.json();
}

std::string payload_of(const std::vector<const auth::Revocation*>& entries) {
  std::string out = "{\"schema\":" + std::to_string(feed::kSchema);
  out += ",\"kind\":\"revocations\",\"entries\":[";
  for (const auth::Revocation* entry : entries) {
    if (out.back() != '[') out += ',';
    out += told_json(*entry);
  }
  return out += "]}";
}

}  // namespace

bool is_revocations_key(std::string_view key) noexcept {
  if (!key.starts_with(kRevocationsKey)) return false;
  return key.size() == kRevocationsKey.size() || key[kRevocationsKey.size()] == '/';
}

FeedScope feed_scope(std::string_view scope) {
  const size_t slash = std::min(scope.find('/'), scope.size());
  FeedScope out{std::string(scope.substr(0, slash)), ""};
  if (scope.empty()) return out;
  out.endpoint = slash == scope.size() ? feed::kEveryEndpoint : scope.substr(slash + 1);
  return out;
}

std::optional<std::string> scope_of(std::string_view scope_namespace, std::string_view endpoint) {
  if (scope_namespace.empty() != endpoint.empty()) return std::nullopt;
  std::string out(scope_namespace);
  if (!endpoint.empty() && endpoint != feed::kEveryEndpoint) out.append("/").append(endpoint);
  return out;
}

feed::Fact RevocationNotice::fact() const {
  feed::Fact out;
  FeedScope scope = feed_scope(revocation.scope);
  out.scope_namespace = std::move(scope.scope_namespace);
  out.endpoint = std::move(scope.endpoint);
  out.bytes = std::string(revoked ? kRevoke : kUnrevoke) + told_json(revocation);
  return out;
}

std::optional<RevocationNotice> RevocationNotice::of(const feed::Fact& fact) {
  RevocationNotice out;
  std::string_view text = fact.bytes;
  out.revoked = text.starts_with(kRevoke);
  if (!out.revoked && !text.starts_with(kUnrevoke)) return std::nullopt;
  text.remove_prefix(out.revoked ? kRevoke.size() : kUnrevoke.size());
  auth::Revocation::Parsed parsed = auth::Revocation::parse(text);
  std::optional<std::string> scope = scope_of(fact.scope_namespace, fact.endpoint);
  if (!parsed.revocation || !scope) return std::nullopt;
  if (!parsed.revocation->name.empty() || !parsed.revocation->scope.empty()) return std::nullopt;
  out.revocation = *std::move(parsed.revocation);
  out.revocation.scope = *std::move(scope);
  return out;
}

std::vector<feed::Item> revocation_items(const std::vector<auth::Revocation>& entries) {
  std::map<std::string, std::vector<const auth::Revocation*>> by_scope{{"", {}}};
  for (const auth::Revocation& entry : entries) by_scope[entry.scope].push_back(&entry);
  std::vector<feed::Item> out;
  for (const auto& [scope, list] : by_scope) {
    FeedScope where = feed_scope(scope);
    std::string key(kRevocationsKey);
    if (!scope.empty()) key += "/" + scope;
    out.push_back({std::move(key), std::move(where.scope_namespace), std::move(where.endpoint),
                   std::make_shared<const std::string>(payload_of(list))});
  }
  return out;
}

std::optional<std::vector<auth::Revocation>> read_revocations(const feed::Item& item) {
  const std::optional<std::string> scope = scope_of(item.scope_namespace, item.endpoint);
  bool is_deep = false;
  const auto within = [&is_deep](int depth, nlohmann::json::parse_event_t /*event*/,
                                 nlohmann::json& /*value*/) {
    is_deep = is_deep || depth > kListDepthMax;
    return !is_deep;
  };
  const auto json = nlohmann::json::parse(*item.payload, within, /*allow_exceptions=*/false);
  if (!scope || is_deep || !json.is_object() ||
      json.value("schema", nlohmann::json()) != feed::kSchema) {
    return std::nullopt;
  }
  const auto list = json.find("entries");
  if (list == json.end() || !list->is_array() || list->size() > limits::kRevocationsMax) {
    return std::nullopt;
  }
  std::vector<auth::Revocation> entries;
  for (const nlohmann::json& value : *list) {
    auth::Revocation::Parsed parsed = auth::Revocation::parse(value.dump());
    if (!parsed.revocation || !parsed.revocation->scope.empty()) return std::nullopt;
    parsed.revocation->scope = *scope;
    entries.push_back(*std::move(parsed.revocation));
  }
  return entries;
}

}  // namespace kg::routing
