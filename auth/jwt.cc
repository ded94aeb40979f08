#include "auth/jwt.h"

#include <array>
#include <optional>
#include <utility>

#include "auth/jwk.h"
#include "auth/refusal.h"
#include "auth/strict_json.h"
#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"

namespace kg::auth {
namespace {

// Keys that a token brings or points to (RFC 8725 section 3.10), and extensions that must be
// understood (RFC 7515 section 4.1.11): no issuer of sessions needs them.
constexpr std::array kRefusedHeaders{"crit", "b64", "enc", "zip", "jwk", "jku", "x5c", "x5u"};

// base64url makes 4 letters of 3 bytes: judged before anything is allocated.
std::optional<std::string> decode(std::string_view part, size_t bytes_max, Padding padding) {
  if (part.empty() || part.size() > (bytes_max + 2) / 3 * 4) return std::nullopt;
  if (padding == Padding::kAllowed && part.size() % 4 == 0) {
    for (int i = 0; i < 2 && part.back() == '='; ++i) part.remove_suffix(1);
  }
  return ascii::base64url_decode(part);
}

const char* header_fault(const JsonObject& header) {
  for (const char* name : kRefusedHeaders) {
    if (header.has(name)) return "token header has crit, b64, enc, zip, jwk, jku, x5c or x5u";
  }
  if (header.has("typ")) {
    const std::string type = header.text("typ").value_or("");
    if (!ascii::equals_ignore_case(type, "JWT") && !ascii::equals_ignore_case(type, "at+jwt")) {
      return "token typ is neither JWT nor at+jwt";
    }
  }
  if (!header.has("kid")) return "";
  const std::optional<std::string> kid = header.text("kid");
  return kid && kid->size() <= kKidBytesMax ? "" : "token kid is not a short text";
}

}  // namespace

Result<Jwt> split_jwt(std::string_view token, Padding padding) {
  if (token.size() > limits::kCredentialBytesMax) return refused("token is too large");
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return refused("token does not have three parts");
  }
  const auto header = decode(token.substr(0, first), kJwtPartBytesMax, padding);
  auto claims = decode(token.substr(first + 1, second - first - 1), kJwtPartBytesMax, padding);
  auto signature = decode(token.substr(second + 1), kJwtSignatureBytesMax, padding);
  if (!header || !claims || !signature) {
    return refused("token part is empty, too large or not base64url");
  }
  JsonObject::Parsed parsed = JsonObject::parse(*header);
  if (!parsed.object) return refused("token header is not one plain JSON object");
  if (const char* fault = header_fault(*parsed.object); *fault != '\0') return refused(fault);
  const auto algorithm = algorithm_named(parsed.object->text("alg").value_or(""));
  if (!algorithm) return refused("token alg is none of ES256, ES384, RS256, PS256, EdDSA");
  std::string kid = parsed.object->text("kid").value_or("");
  return Jwt{std::move(*parsed.object), *algorithm,         std::move(kid),
             token.substr(0, second),   std::move(*claims), std::move(*signature)};
}

}  // namespace kg::auth
