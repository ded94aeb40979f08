#include "auth/revocations.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "auth/strict_json.h"
#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"

namespace kg::auth {
namespace {

// By RevocationKind.
constexpr std::array<const char*, 4> kKindNames{"token_id", "session", "subject", "endpoint"};

bool is_name(const std::optional<std::string>& text) noexcept {
  return text && !text->empty() && text->size() <= limits::kRevocationNameBytesMax &&
         std::none_of(text->begin(), text->end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// Reads a member that may be absent; false if it is there and no time.
bool read_seconds(const JsonObject& object, const char* name, size_t& members, int64_t& out) {
  if (!object.has(name)) return true;
  ++members;
  const std::optional<int64_t> value = object.seconds(name);
  out = value.value_or(0);
  return value.has_value() && *value > 0;
}

std::string_view next_line(std::string_view& text) noexcept {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

}  // namespace

std::string_view kind_name(RevocationKind kind) noexcept {
  return kKindNames[static_cast<size_t>(kind)];
}

Revocation::Parsed Revocation::parse(std::string_view json) {
  if (json.size() > limits::kRevocationBytesMax) return {std::nullopt, "is too long"};
  const JsonObject::Parsed parsed = JsonObject::parse(json);
  if (!parsed.object) return {std::nullopt, parsed.fault};
  const JsonObject& object = *parsed.object;
  Revocation out;
  size_t members = 0;
  for (size_t i = 0; i < kKindNames.size(); ++i) {
    if (!object.has(kKindNames[i])) continue;
    if (++members > 1) return {std::nullopt, "names more than one thing to revoke"};
    const std::optional<std::string> name = object.text(kKindNames[i]);
    if (!is_name(name)) return {std::nullopt, "has a name that is no text of 1 to 256 bytes"};
    out.kind = static_cast<RevocationKind>(i);
    out.name = *name;
  }
  if (members == 0) return {std::nullopt, "names no token_id, session, subject or endpoint"};
  if (object.has("realm") != (out.kind == RevocationKind::kSubject)) {
    return {std::nullopt, "must have a realm with a subject, and only there"};
  }
  if (out.kind == RevocationKind::kSubject) {
    ++members;
    const std::optional<std::string> realm = object.text("realm");
    if (!is_name(realm)) return {std::nullopt, "has a realm that is no text of 1 to 256 bytes"};
    out.realm = *realm;
  }
  if (!read_seconds(object, "before", members, out.before) ||
      !read_seconds(object, "until", members, out.until)) {
    return {std::nullopt, "has a before or until that is no time in whole seconds since 1970"};
  }
  if (object.has("note")) {
    ++members;
    if (!object.text("note")) return {std::nullopt, "has a note that is no text"};
  }
  if (object.size() != members) return {std::nullopt, "has a member that is not known"};
  return {std::move(out), ""};
}

std::string Revocation::json() const {
  std::string out = "{\"";
  out.append(kind_name(kind)).append("\":");
  ascii::json_quote(name, out);
  if (kind == RevocationKind::kSubject) {
    out += ",\"realm\":";
    ascii::json_quote(realm, out);
  }
  if (before != 0) out += ",\"before\":" + std::to_string(before);
  if (until != 0) out += ",\"until\":" + std::to_string(until);
  return out += "}";
}

Revocations::Lines Revocations::read_lines(std::string_view text) {
  Lines out;
  for (size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = ascii::trim(next_line(text));
    if (line.empty() || line.front() == '#') continue;
    Revocation::Parsed parsed = Revocation::parse(line);
    const char* fault = parsed.fault;
    if (out.entries.size() == limits::kRevocationsMax) fault = "is beyond the 100000 that fit";
    if (*fault != '\0') return {{}, "line " + std::to_string(number) + " " + fault};
    out.entries.push_back(std::move(*parsed.revocation));
  }
  return out;
}

Revocations::Revocations(const std::vector<Revocation>& entries, int64_t now) {
  entries_.reserve(entries.size());
  targets_.reserve(entries.size());
  for (const Revocation& entry : entries) {
    if (entry.until != 0 && entry.until <= now) continue;
    const Revocation& own = entries_.emplace_back(entry);
    targets_.emplace(Target{own.kind, own.realm, own.name}, &own);
  }
}

bool Revocations::revokes(const Principal& principal, std::string_view endpoint,
                          int64_t now) const noexcept {
  if (targets_.empty()) return false;
  return holds({RevocationKind::kToken, {}, principal.token_id}, principal, now) ||
         holds({RevocationKind::kSession, {}, principal.session_id}, principal, now) ||
         holds({RevocationKind::kSubject, principal.realm, principal.subject}, principal, now) ||
         holds({RevocationKind::kEndpoint, {}, endpoint}, principal, now);
}

// An entry's name is never empty, so what a principal lacks finds nothing.
bool Revocations::holds(const Target& target, const Principal& principal,
                        int64_t now) const noexcept {
  const auto [first, last] = targets_.equal_range(target);
  return std::any_of(first, last, [&](const auto& found) {
    const Revocation& entry = *found.second;
    return (entry.until == 0 || entry.until > now) &&
           (entry.before == 0 || principal.issued_at < entry.before);
  });
}

size_t Revocations::TargetHash::operator()(const Target& target) const noexcept {
  const std::hash<std::string_view> hash;
  return hash(target.name) * 31 + hash(target.realm) + static_cast<size_t>(target.kind);
}

}  // namespace kg::auth
