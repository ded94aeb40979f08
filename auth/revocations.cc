#include "auth/revocations.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "auth/strict_json.h"
#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"

namespace kg::auth {
namespace {

// By RevocationKind.
constexpr std::array<const char*, 4> kKindNames{"token_id", "session", "subject", "endpoint"};
constexpr std::array<const char*, 4> kMarkNames{"token_id_sha256", "session_sha256",
                                                "subject_sha256", "endpoint_sha256"};
constexpr size_t kClusterBytesMax = 63;    // a label of RFC 1123
constexpr size_t kEndpointBytesMax = 128;  // as the feed has them (routing/feed/limits.h)

bool is_name(const std::optional<std::string>& text) noexcept {
  return text && !text->empty() && text->size() <= limits::kRevocationNameBytesMax &&
         std::none_of(text->begin(), text->end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

int nibble_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// 64 hexadecimal digits, lower case.
bool read_mark(const std::optional<std::string>& text, Mark& out) noexcept {
  if (!text || text->size() != 2 * out.size()) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = nibble_of((*text)[2 * i]);
    const int low = nibble_of((*text)[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return true;
}

bool is_word(std::string_view text, size_t bytes_max) noexcept {
  return !text.empty() && text.size() <= bytes_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

bool is_scope(std::string_view text) noexcept {
  const size_t slash = std::min(text.find('/'), text.size());
  return is_word(text.substr(0, slash), kClusterBytesMax) &&
         (slash == text.size() || is_word(text.substr(slash + 1), kEndpointBytesMax));
}

// What is revoked: "" or a fault. Counts the members that it read.
const char* read_target(const JsonObject& object, size_t& members, Revocation& out) {
  for (size_t i = 0; i < kKindNames.size(); ++i) {
    const bool named = object.has(kKindNames[i]);
    const bool marked = object.has(kMarkNames[i]);
    if (!named && !marked) continue;
    if ((named && marked) || ++members > 1) return "names more than one thing to revoke";
    out.kind = static_cast<RevocationKind>(i);
    if (marked) {
      if (!read_mark(object.text(kMarkNames[i]), out.mark)) {
        return "has a mark that is not 64 digits of 0-9 and a-f";
      }
      continue;
    }
    const std::optional<std::string> name = object.text(kKindNames[i]);
    if (!is_name(name)) return "has a name that is no text of 1 to 256 bytes";
    out.name = *name;
  }
  if (members == 0) return "names no token_id, session, subject or endpoint";
  const bool by_name = out.kind == RevocationKind::kSubject && !out.name.empty();
  if (object.has("realm") != by_name) return "must have a realm with a subject, and only there";
  if (by_name) {
    ++members;
    const std::optional<std::string> realm = object.text("realm");
    if (!is_name(realm)) return "has a realm that is no text of 1 to 256 bytes";
    out.realm = *realm;
  }
  if (!out.name.empty()) out.mark = mark_of(out.kind, out.realm, out.name);
  return "";
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

Mark mark_of(RevocationKind kind, std::string_view realm, std::string_view name) {
  std::string before_name(kind_name(kind));
  before_name += '\n';
  if (kind == RevocationKind::kSubject) before_name.append(realm) += '\n';
  return crypto::sha256(before_name, name);
}

SessionMarks marks_of(const Principal& principal, std::string_view endpoint) {
  const auto mark = [](RevocationKind kind, std::string_view realm, std::string_view name) {
    return name.empty() ? Mark{} : mark_of(kind, realm, name);
  };
  return {mark(RevocationKind::kToken, "", principal.token_id),
          mark(RevocationKind::kSession, "", principal.session_id),
          mark(RevocationKind::kSubject, principal.realm, principal.subject),
          mark(RevocationKind::kEndpoint, "", endpoint), principal.issued_at};
}

Revocation::Parsed Revocation::parse(std::string_view json) {
  if (json.size() > limits::kRevocationBytesMax) return {std::nullopt, "is too long"};
  const JsonObject::Parsed parsed = JsonObject::parse(json);
  if (!parsed.object) return {std::nullopt, parsed.fault};
  const JsonObject& object = *parsed.object;
  Revocation out;
  size_t members = 0;
  const char* fault = read_target(object, members, out);
  if (*fault != '\0') return {std::nullopt, fault};
  if (object.has("scope")) {
    ++members;
    out.scope = object.text("scope").value_or("");
    if (!is_scope(out.scope)) {
      return {std::nullopt, "has a scope that is neither NAMESPACE nor NAMESPACE/ENDPOINT"};
    }
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
  if (name.empty()) {
    out += kMarkNames[static_cast<size_t>(kind)];
    out += "\":\"";
    out += crypto::hex({reinterpret_cast<const char*>(mark.data()), mark.size()}) + "\"";
  } else {
    out.append(kind_name(kind)).append("\":");
    ascii::json_quote(name, out);
    if (kind == RevocationKind::kSubject) {
      out += ",\"realm\":";
      ascii::json_quote(realm, out);
    }
  }
  if (!scope.empty()) {
    out += ",\"scope\":";
    ascii::json_quote(scope, out);
  }
  if (before != 0) out += ",\"before\":" + std::to_string(before);
  if (until != 0) out += ",\"until\":" + std::to_string(until);
  return out += "}";
}

Revocation Revocation::marked() const {
  Revocation out = *this;
  out.realm.clear();
  out.name.clear();
  return out;
}

bool Revocation::counts_at(const Place& place) const noexcept {
  if (scope.empty()) return true;
  const std::string_view text = scope;
  const size_t slash = std::min(text.find('/'), text.size());
  return place.virtual_cluster == text.substr(0, slash) &&
         (slash == text.size() || place.endpoint == text.substr(slash + 1));
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
    targets_.emplace(own.mark, &own);
  }
}

bool Revocations::revokes(const SessionMarks& marks, const Place& place,
                          int64_t now) const noexcept {
  if (targets_.empty()) return false;
  return std::ranges::any_of(
      std::array{&marks.token, &marks.session, &marks.subject, &marks.endpoint},
      [&](const Mark* mark) { return holds(*mark, marks.issued_at, place, now); });
}

bool Revocations::holds(const Mark& mark, int64_t issued_at, const Place& place,
                        int64_t now) const noexcept {
  if (mark == Mark{}) return false;
  const auto [first, last] = targets_.equal_range(mark);
  return std::any_of(first, last, [&](const auto& found) {
    const Revocation& entry = *found.second;
    return (entry.until == 0 || entry.until > now) &&
           (entry.before == 0 || issued_at < entry.before) && entry.counts_at(place);
  });
}

// Whoever can choose marks could choose equal beginnings: that costs time where a list is searched,
// and the lists of one scope are short (kRevocationsPerNamespaceMax).
size_t Revocations::MarkHash::operator()(const Mark& mark) const noexcept {
  size_t hash = 0;
  std::memcpy(&hash, mark.data(), sizeof hash);
  return hash;
}

}  // namespace kg::auth
