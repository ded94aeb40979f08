#include "routing/controller/issuer/request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "auth/strict_json.h"
#include "proxy/base/ascii.h"

namespace kg::issuer {
namespace {

using auth::JsonObject;

constexpr size_t kIdBytesMax = 64;     // as config's endpoints[].id
constexpr size_t kLabelBytesMax = 63;  // RFC 1123
constexpr size_t kContextBytesMin = 3;
constexpr size_t kContextBytesMax = 63;
constexpr size_t kClientTokenBytesMax = 64;

constexpr bool is_low(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kIdBytesMax && std::ranges::all_of(text, is_low);
}

bool is_label(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kLabelBytesMax && is_low(text.front()) &&
         is_low(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_low(c) || c == '-'; });
}

// As the name of a bucket, which is what AWS makes of it.
bool is_log_context(std::string_view text) noexcept {
  return text.size() >= kContextBytesMin && text.size() <= kContextBytesMax &&
         is_low(text.front()) && is_low(text.back()) && text.find("..") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return is_low(c) || c == '-' || c == '.'; });
}

bool is_client_token(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kClientTokenBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_claim(std::string_view text, size_t bytes_max) noexcept {
  return !text.empty() && text.size() <= bytes_max && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
}

constexpr std::array kMembers{"credentialType", "durationInSeconds", "executionRoleArn",
                              "logContext",     "clientToken",       "subject",
                              "groups"};

// False: it is there, and is no text of that kind.
template <class Check>
bool take_text(const JsonObject& object, const char* name, Check&& check, std::string& out) {
  if (!object.has(name)) return true;
  std::optional<std::string> text = object.text(name);
  if (!text || !check(*text)) return false;
  out = std::move(*text);
  return true;
}

bool take_seconds(const JsonObject& object, uint32_t& out) {
  if (!object.has("durationInSeconds")) return true;
  const std::optional<int64_t> seconds = object.seconds("durationInSeconds");
  if (!seconds || *seconds < 1 || *seconds > kSecondsMax) return false;
  out = static_cast<uint32_t>(*seconds);
  return true;
}

bool take_groups(const JsonObject& object, std::vector<std::string>& out) {
  if (!object.has("groups")) return true;
  std::optional<std::vector<std::string>> groups = object.texts("groups");
  if (!groups || groups->size() > kGroupsMax) return false;
  std::ranges::sort(*groups);
  groups->erase(std::unique(groups->begin(), groups->end()), groups->end());
  out = std::move(*groups);
  return std::ranges::all_of(out, is_claim_text);
}

std::string read_members(const JsonObject& object, Wish& wish) {
  for (const std::string& name : object.names()) {
    if (std::ranges::find(kMembers, name) == kMembers.end()) {
      return "The body has a member that is not known. Known are credentialType, "
             "durationInSeconds, executionRoleArn, logContext, clientToken, subject and groups.";
    }
  }
  if (object.text("credentialType") != "TOKEN") return "credentialType is not \"TOKEN\".";
  if (!take_seconds(object, wish.seconds)) {
    return "durationInSeconds is not a whole number from 1 to 43200.";
  }
  const auto role = [](const std::string& text) { return is_claim(text, kRoleBytesMax); };
  if (!take_text(object, "executionRoleArn", role, wish.role)) {
    return "executionRoleArn is not a text of 1 to 2048 bytes.";
  }
  if (!take_text(object, "logContext", is_log_context, wish.log_context)) {
    return "logContext is not 3 to 63 of a-z, 0-9, '.' and '-', as the name of a bucket.";
  }
  if (!take_text(object, "clientToken", is_client_token, wish.client_token)) {
    return "clientToken is not 1 to 64 visible ASCII characters.";
  }
  if (!take_text(object, "subject", is_claim_text, wish.subject)) {
    return "subject is not a text of 1 to 256 bytes without control characters.";
  }
  if (!take_groups(object, wish.groups)) {
    return "groups is not a list of at most 8 texts, each of 1 to 256 bytes.";
  }
  return "";
}

bool take_front(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

bool is_claim_text(std::string_view text) noexcept { return is_claim(text, kTextBytesMax); }

std::optional<Target> read_target(std::string_view path) {
  if (!take_front(path, "/virtualclusters/")) return std::nullopt;
  const std::string_view space = path.substr(0, path.find('/'));
  path.remove_prefix(space.size());
  if (!take_front(path, "/endpoints/")) return std::nullopt;
  const std::string_view endpoint = path.substr(0, path.find('/'));
  path.remove_prefix(endpoint.size());
  if (path != "/credentials" || !is_label(space) || !is_id(endpoint)) return std::nullopt;
  return Target{std::string(space), std::string(endpoint)};
}

ReadWish read_wish(std::string_view body) {
  if (body.size() > kBodyBytesMax) return {std::nullopt, "The body has more than 64 KiB."};
  const JsonObject::Parsed parsed = JsonObject::parse(body);
  if (!parsed.object) {
    return {std::nullopt, std::string("The body ") + parsed.fault +
                              ": send {\"credentialType\": \"TOKEN\", \"durationInSeconds\": 900, "
                              "\"executionRoleArn\": \"...\"}."};
  }
  Wish wish;
  std::string problem = read_members(*parsed.object, wish);
  if (!problem.empty()) return {std::nullopt, std::move(problem)};
  return {std::move(wish), ""};
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!ascii::starts_with_ignore_case(authorization, kScheme)) return "";
  std::string_view token = authorization.substr(kScheme.size());
  while (token.starts_with(' ')) token.remove_prefix(1);
  const bool fits = token.size() <= kTokenBytesMax && std::ranges::all_of(token, [](char c) {
                      return is_low(ascii::to_lower(c)) ||
                             std::string_view("-._~+/=").find(c) != std::string_view::npos;
                    });
  return fits ? token : std::string_view();
}

}  // namespace kg::issuer
