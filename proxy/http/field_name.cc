#include "proxy/http/field_name.h"

#include <array>
#include <cstring>

#include "proxy/base/ascii.h"

namespace kg::http {
namespace {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> kTokenTable = make_token_table();

// Eight bytes or fewer, letters in lower case. Setting bit 5 maps no other token character to a
// letter, a digit or '-', of which all names here are made; controls, which it would, are in no
// field.
template <size_t bytes>
uint64_t lower_word(const char* text) noexcept {
  uint64_t word = 0;
  std::memcpy(&word, text, bytes);
  return word | 0x2020'2020'2020'2020U;
}

template <size_t bytes>
bool same(const char* name, const char* lower) noexcept {
  if constexpr (bytes <= 8) {
    return lower_word<bytes>(name) == lower_word<bytes>(lower);
  } else {
    return lower_word<8>(name) == lower_word<8>(lower) && same<bytes - 8>(name + 8, lower + 8);
  }
}

// `lower` is a literal in lower case.
template <size_t size>
bool is(std::string_view name, const char (&lower)[size]) noexcept {
  return name.size() == size - 1 && same<size - 1>(name.data(), lower);
}
template <size_t size>
bool starts_with(std::string_view name, const char (&lower)[size]) noexcept {
  return name.size() >= size - 1 && same<size - 1>(name.data(), lower);
}

FieldName field_name_c(std::string_view name) noexcept {
  if (is(name, "cookie")) return FieldName::kCookie;
  if (is(name, "connection")) return FieldName::kConnection;
  if (is(name, "content-type")) return FieldName::kContentType;
  return is(name, "content-length") ? FieldName::kContentLength : FieldName::kUnknown;
}

FieldName field_name_a(std::string_view name) noexcept {
  if (is(name, "accept-encoding")) return FieldName::kAcceptEncoding;
  if (is(name, "authorization")) return FieldName::kAuthorization;
  if (is(name, "alt-svc")) return FieldName::kAltSvc;
  return starts_with(name, "access-control-") ? FieldName::kAccessControl : FieldName::kUnknown;
}

FieldName field_name_r(std::string_view name) noexcept {
  if (is(name, "referer")) return FieldName::kReferer;
  return starts_with(name, "remote-") ? FieldName::kIdentity : FieldName::kUnknown;
}

FieldName field_name_s(std::string_view name) noexcept {
  if (is(name, "server")) return FieldName::kServer;
  if (is(name, "set-cookie")) return FieldName::kSetCookie;
  if (!starts_with(name, "sec-websocket-")) return FieldName::kUnknown;
  return is(name, "sec-websocket-protocol") ? FieldName::kSecWebSocketProtocol
                                            : FieldName::kSecWebSocket;
}

FieldName field_name_t(std::string_view name) noexcept {
  if (is(name, "te")) return FieldName::kTe;
  if (is(name, "trailer")) return FieldName::kTrailer;
  return is(name, "transfer-encoding") ? FieldName::kTransferEncoding : FieldName::kUnknown;
}

FieldName field_name_x(std::string_view name) noexcept {
  if (starts_with(name, "x-forwarded-")) {
    const std::string_view rest = name.substr(12);
    if (is(rest, "for")) return FieldName::kXForwardedFor;
    if (is(rest, "proto")) return FieldName::kXForwardedProto;
    if (is(rest, "port")) return FieldName::kXForwardedPort;
    return is(rest, "host") ? FieldName::kXForwardedHost : FieldName::kXForwarded;
  }
  if (starts_with(name, "x-amzn-")) {
    const std::string_view rest = name.substr(7);
    if (is(rest, "trace-id")) return FieldName::kXAmznTraceId;
    if (starts_with(rest, "oidc-") || starts_with(rest, "mtls-")) return FieldName::kIdentity;
    return FieldName::kUnknown;
  }
  if (starts_with(name, "x-remote-") || starts_with(name, "x-auth-request-")) {
    return FieldName::kIdentity;
  }
  if (is(name, "x-real-ip")) return FieldName::kXRealIp;
  return is(name, "x-request-id") ? FieldName::kXRequestId : FieldName::kUnknown;
}

}  // namespace

FieldName field_name(std::string_view name) noexcept {
  if (name.empty()) return FieldName::kUnknown;
  const auto either = [name](const auto& lower, FieldName known) {
    return is(name, lower) ? known : FieldName::kUnknown;
  };
  switch (ascii::to_lower(name[0])) {
    case 'a':
      return field_name_a(name);
    case 'c':
      return field_name_c(name);
    case 'd':
      return either("date", FieldName::kDate);
    case 'e':
      return either("expect", FieldName::kExpect);
    case 'f':
      return either("forwarded", FieldName::kForwarded);
    case 'h':
      return name.size() == 4 ? either("host", FieldName::kHost)
                              : either("http2-settings", FieldName::kHttp2Settings);
    case 'k':
      return either("keep-alive", FieldName::kKeepAlive);
    case 'l':
      return either("location", FieldName::kLocation);
    case 'm':
      return either("max-forwards", FieldName::kMaxForwards);
    case 'o':
      return either("origin", FieldName::kOrigin);
    case 'p':
      return starts_with(name, "proxy-") ? FieldName::kProxy : FieldName::kUnknown;
    case 'r':
      return field_name_r(name);
    case 's':
      return field_name_s(name);
    case 't':
      return field_name_t(name);
    case 'u':
      return either("upgrade", FieldName::kUpgrade);
    case 'x':
      return field_name_x(name);
    default:
      return FieldName::kUnknown;
  }
}

bool is_token_char(char c) noexcept { return kTokenTable[static_cast<unsigned char>(c)]; }

bool is_token(std::string_view text) noexcept {
  bool all = !text.empty();
  for (const char c : text) all &= is_token_char(c);  // without branches: nearly always true
  return all;
}

}  // namespace kg::http
