#include "auth/jwt.h"

#include <array>
#include <optional>
#include <utility>

#include "auth/jwk.h"
#include "auth/strict_json.h"
#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"

namespace kg::auth {
namespace {

// Keys that a token brings or points to (RFC 8725 section 3.10), and extensions that must be
// understood (RFC 7515 section 4.1.11): no issuer of sessions needs them.
constexpr std::array<const char*, 5> kRefusedHeaders{"crit", "jwk", "jku", "x5c", "x5u"};

Error refused(const char* detail) { return {ErrorCode::kUnauthorized, detail, 0}; }

// base64url makes 4 letters of 3 bytes: judged before anything is allocated.
std::optional<std::string> decode(std::string_view part, size_t bytes_max) {
  if (part.empty() || part.size() > (bytes_max * 4 + 2) / 3) return std::nullopt;
  return ascii::base64url_decode(part);
}

Result<void> read_header(std::string_view text, Jwt& jwt) {
  const JsonObject::Parsed parsed = JsonObject::parse(text);
  if (!parsed.object) return refused("token header is not one plain JSON object");
  const JsonObject& header = *parsed.object;
  for (const char* name : kRefusedHeaders) {
    if (header.has(name)) return refused("token header has crit, jwk, jku, x5c or x5u");
  }
  if (header.has("typ")) {
    const std::string type = header.text("typ").value_or("");
    if (!ascii::equals_ignore_case(type, "JWT") && !ascii::equals_ignore_case(type, "at+jwt")) {
      return refused("token typ is neither JWT nor at+jwt");
    }
  }
  if (header.has("kid")) {
    std::optional<std::string> kid = header.text("kid");
    if (!kid || kid->size() > kKidBytesMax) return refused("token kid is not a short text");
    jwt.kid = std::move(*kid);
  }
  const auto algorithm = algorithm_named(header.text("alg").value_or(""));
  if (!algorithm) return refused("token alg is none of ES256, RS256, EdDSA");
  jwt.algorithm = *algorithm;
  return {};
}

}  // namespace

Result<Jwt> split_jwt(std::string_view token) {
  if (token.size() > limits::kCredentialBytesMax) return refused("token is too large");
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return refused("token does not have three parts");
  }
  const auto header = decode(token.substr(0, first), kJwtPartBytesMax);
  auto claims = decode(token.substr(first + 1, second - first - 1), kJwtPartBytesMax);
  auto signature = decode(token.substr(second + 1), kJwtSignatureBytesMax);
  if (!header || !claims || !signature) {
    return refused("token part is empty, too large or not base64url without padding");
  }
  Jwt jwt;
  if (Result<void> read = read_header(*header, jwt); !read) return read.error();
  jwt.signed_bytes = token.substr(0, second);
  jwt.claims = std::move(*claims);
  jwt.signature = std::move(*signature);
  return jwt;
}

}  // namespace kg::auth
