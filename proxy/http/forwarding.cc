#include "proxy/http/forwarding.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/http/field_name.h"

namespace kg::http {
namespace {

constexpr size_t kAddedBytes = 512;  // what a rewrite usually adds, so that `out` grows once

// One growth and two copies: most of a rewrite's time is spent here.
void append_field(std::string_view name, std::string_view value, std::string& out) {
  const size_t begin = out.size();
  out.resize(begin + name.size() + value.size() + 4);
  char* place = out.data() + begin;
  place = std::copy(name.begin(), name.end(), place);
  *place++ = ':';
  *place++ = ' ';
  place = std::copy(value.begin(), value.end(), place);
  *place++ = '\r';
  *place = '\n';
}

void append_number(uint64_t value, std::string& out) {
  std::array<char, 20> digits;
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(std::string_view(digits.data(), end));
}

void append_number_field(std::string_view name, uint64_t value, std::string& out) {
  out.append(name).append(": ");
  append_number(value, out);
  out += "\r\n";
}

void append_framing(Framing framing, uint64_t length, std::string& out) {
  if (framing == Framing::kLength) append_number_field("Content-Length", length, out);
  if (framing == Framing::kChunked) out += "Transfer-Encoding: chunked\r\n";
}

// Fields of one connection only (RFC 9110 section 7.6.1), and framing, which each hop makes anew.
bool is_hop_by_hop(FieldName name) noexcept {
  switch (name) {
    case FieldName::kConnection:
    case FieldName::kContentLength:
    case FieldName::kKeepAlive:
    case FieldName::kProxy:
    case FieldName::kTe:
    case FieldName::kTrailer:
    case FieldName::kTransferEncoding:
    case FieldName::kUpgrade:
      return true;
    default:
      return false;
  }
}

bool less_ignore_case(std::string_view a, std::string_view b) noexcept {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return ascii::to_lower(x) < ascii::to_lower(y);
  });
}

// The fields that Connection names and that would cross otherwise: in practice none. Sorted,
// because a hostile head holds tens of thousands of names.
class NamedFields {
 public:
  explicit NamedFields(const std::vector<Header>& headers) {
    for (const Header& header : headers) {
      if (!ascii::equals_ignore_case(header.name, "connection")) continue;
      ascii::for_each_element(header.value, [this](std::string_view option) {
        const bool usual =
            is_hop_by_hop(field_name(option)) || ascii::equals_ignore_case(option, "close");
        if (!usual) names_.push_back(option);
      });
    }
    std::sort(names_.begin(), names_.end(), less_ignore_case);
  }
  bool contains(std::string_view name) const noexcept {
    return !names_.empty() &&
           std::binary_search(names_.begin(), names_.end(), name, less_ignore_case);
  }

 private:
  std::vector<std::string_view> names_;
};

// What gateways and WSGI-like code behind them can tell apart (domain A17).
bool is_plain_name(std::string_view name) noexcept {
  return std::all_of(name.begin(), name.end(), [](char c) {
    const char low = ascii::to_lower(c);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool crosses_upstream(FieldName name, std::string_view value,
                      const RequestRewrite& rewrite) noexcept {
  switch (name) {
    case FieldName::kAcceptEncoding:
      return !rewrite.plain_answer;
    case FieldName::kAccessControl:
    case FieldName::kAuthorization:
    case FieldName::kCookie:
    case FieldName::kExpect:
    case FieldName::kForwarded:
    case FieldName::kHost:
    case FieldName::kHttp2Settings:
    case FieldName::kIdentity:
    case FieldName::kMaxForwards:
    case FieldName::kOrigin:
    case FieldName::kSecWebSocketProtocol:
    case FieldName::kXAmznTraceId:
    case FieldName::kXForwarded:
    case FieldName::kXForwardedFor:
    case FieldName::kXForwardedHost:
    case FieldName::kXForwardedPort:
    case FieldName::kXForwardedProto:
    case FieldName::kXRealIp:
    case FieldName::kXRequestId:
      return false;
    case FieldName::kContentType:
      return !rewrite.json_body;
    case FieldName::kReferer:
      return value.find('?') == std::string_view::npos;
    case FieldName::kSecWebSocket:
      return rewrite.websocket && rewrite.websocket_key.empty();
    default:
      return !is_hop_by_hop(name);
  }
}

// RFC 9110 sections 13.1 and 14.2.
bool asks_for_less(std::string_view name) noexcept {
  return ascii::starts_with_ignore_case(name, "if-") || ascii::equals_ignore_case(name, "range");
}

bool crosses_to_client(FieldName name) noexcept {
  switch (name) {
    case FieldName::kAccessControl:
    case FieldName::kAltSvc:
    case FieldName::kServer:
    case FieldName::kSetCookie:
    case FieldName::kXRequestId:
      return false;
    default:
      return !is_hop_by_hop(name);
  }
}

bool is_identity(std::string_view name, std::span<const IdentityField> identity) noexcept {
  return std::any_of(identity.begin(), identity.end(), [name](const IdentityField& field) {
    return ascii::equals_ignore_case(name, field.name);
  });
}

void append_forwarded(const RequestHead& head, const RequestRewrite& rewrite, std::string& out) {
  std::string_view proto;
  std::string_view port;
  std::string_view host;
  out += "X-Forwarded-For: ";
  if (rewrite.peer_trusted) {
    for (const Header& header : head.headers) {
      switch (field_name(header.name)) {
        case FieldName::kXForwardedFor:
          if (!header.value.empty()) out.append(header.value).append(", ");
          break;
        case FieldName::kXForwardedProto:
          proto = header.value;
          break;
        case FieldName::kXForwardedPort:
          port = header.value;
          break;
        case FieldName::kXForwardedHost:
          host = header.value;
          break;
        default:
          break;
      }
    }
  }
  out.append(rewrite.peer_address).append("\r\n");
  append_field("X-Forwarded-Proto", proto.empty() ? rewrite.scheme : proto, out);
  if (port.empty()) {
    append_number_field("X-Forwarded-Port", rewrite.port, out);
  } else {
    append_field("X-Forwarded-Port", port, out);
  }
  if (host.empty()) host = head.authority;
  if (!host.empty()) append_field("X-Forwarded-Host", host, out);
}

// What RFC 9110 sections 8 and 14 say of a body (and its digests, RFC 9530), if only of that body.
bool describes_body(std::string_view name) noexcept {
  if (ascii::starts_with_ignore_case(name, "content-")) {
    return !ascii::equals_ignore_case(name, "content-security-policy");
  }
  return ascii::equals_ignore_case(name, "etag") ||
         ascii::equals_ignore_case(name, "last-modified") ||
         ascii::equals_ignore_case(name, "accept-ranges") ||
         ascii::equals_ignore_case(name, "digest") ||
         ascii::equals_ignore_case(name, "repr-digest");
}

void append_date(const ResponseRewrite& rewrite, std::string& out) {
  if (rewrite.now_seconds != 0) append_field("Date", http_date(rewrite.now_seconds), out);
}

void append_connection(const ResponseRewrite& rewrite, std::string& out) {
  if (rewrite.close) {
    out += "Connection: close\r\n";
  } else if (rewrite.client_http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
}

void append_fewer_forwards(const RequestHead& head, std::string& out) {
  const auto forwards = ascii::parse_decimal(head.find("max-forwards"));
  if (forwards && *forwards > 0) append_number_field("Max-Forwards", *forwards - 1, out);
}

void append_status_line(const ResponseHead& head, std::string& out) {
  out += "HTTP/1.1 ";
  append_number(head.status, out);
  out.append(" ").append(head.reason).append("\r\n");
}

}  // namespace

void append_upstream_request(const RequestHead& head, const RequestRewrite& rewrite,
                             std::string& out) {
  KG_ASSERT(rewrite.framing != Framing::kUntilClose);  // requests cannot end so
  out.reserve(out.size() + head.bytes.size() + rewrite.gateway_token.size() + kAddedBytes);
  out.append(rewrite.method.empty() ? head.method_text : rewrite.method)
      .append(" ")
      .append(rewrite.target)
      .append(" HTTP/1.1\r\n");
  append_field("Host", rewrite.host, out);  // first, as RFC 9110 section 7.2 advises
  const NamedFields named(head.headers);
  for (const Header& header : head.headers) {
    const bool crosses = crosses_upstream(field_name(header.name), header.value, rewrite) &&
                         is_plain_name(header.name) && !named.contains(header.name) &&
                         !is_identity(header.name, rewrite.identity) &&
                         !(rewrite.whole_answer && asks_for_less(header.name));
    if (crosses) append_field(header.name, header.value, out);
  }
  if (head.method == Method::kOptions) append_fewer_forwards(head, out);
  if (rewrite.json_body) out += "Content-Type: application/json\r\n";
  append_framing(rewrite.framing, rewrite.content_length, out);
  if (rewrite.websocket) {
    out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    if (!rewrite.websocket_key.empty()) {
      append_field("Sec-WebSocket-Version", "13", out);
      append_field("Sec-WebSocket-Key", rewrite.websocket_key, out);
    }
    if (!rewrite.websocket_protocols.empty()) {
      append_field("Sec-WebSocket-Protocol", rewrite.websocket_protocols, out);
    }
  }
  out.append("Via: 1.").append(head.version_minor == 0 ? "0" : "1").append(" kernelgate\r\n");
  if (!rewrite.gateway_token.empty()) {
    // Gateways accept the scheme "token" alone, in lower case (domain J6).
    out.append("Authorization: token ").append(rewrite.gateway_token).append("\r\n");
  }
  for (const IdentityField& field : rewrite.identity) {
    if (!field.value.empty()) append_field(field.name, field.value, out);
  }
  append_field("X-Request-Id", rewrite.request_id, out);
  append_field("X-Amzn-Trace-Id", rewrite.trace_id, out);
  append_forwarded(head, rewrite, out);
  out += "\r\n";
}

void append_client_response(const ResponseHead& head, const ResponseRewrite& rewrite,
                            std::string& out) {
  KG_ASSERT(rewrite.framing != Framing::kUntilClose || rewrite.close);
  out.reserve(out.size() + head.bytes.size() + kAddedBytes);
  append_status_line(head, out);
  // A 1xx or 204 must not name a length (RFC 9110 section 8.6); a 304 may, without a body.
  const bool may_name_length = head.status >= 200 && head.status != 204;
  const bool body_allowed = rewrite.body_allowed && may_name_length && head.status != 304;
  const NamedFields named(head.headers);
  bool dated = false;
  for (const Header& header : head.headers) {
    const FieldName name = field_name(header.name);
    dated = dated || name == FieldName::kDate;
    if (name == FieldName::kContentLength && !body_allowed && may_name_length) {
      append_field("Content-Length", header.value, out);
      continue;
    }
    if (!crosses_to_client(name) || named.contains(header.name)) continue;
    const bool absolute_path =
        header.value.substr(0, 1) == "/" && header.value.substr(0, 2) != "//";
    if (name == FieldName::kLocation && absolute_path) {
      out.append("Location: ").append(rewrite.location_prefix);
      out.append(header.value).append("\r\n");
      continue;
    }
    append_field(header.name, header.value, out);
  }
  if (body_allowed) {
    const bool empty = rewrite.framing == Framing::kNone;
    append_framing(empty ? Framing::kLength : rewrite.framing, empty ? 0 : rewrite.content_length,
                   out);
  }
  if (!dated) append_date(rewrite, out);
  append_field("X-Request-Id", rewrite.request_id, out);
  append_page_fields(rewrite.page, out);
  if (!rewrite.websocket_protocol.empty()) {
    append_field("Sec-WebSocket-Protocol", rewrite.websocket_protocol, out);
  }
  if (head.upgrade_websocket) {
    out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  } else {
    append_connection(rewrite, out);
  }
  out += "\r\n";
}

void append_client_error(const ResponseHead& head, const ResponseRewrite& rewrite,
                         std::string& out) {
  append_status_line(head, out);
  const NamedFields named(head.headers);
  for (const Header& header : head.headers) {
    const bool crosses = crosses_to_client(field_name(header.name)) &&
                         !named.contains(header.name) && !describes_body(header.name);
    if (crosses) append_field(header.name, header.value, out);
  }
  if (head.find("date").empty()) append_date(rewrite, out);
  out += "Content-Type: application/json\r\n";
  append_field("X-Request-Id", rewrite.request_id, out);
  append_page_fields(rewrite.page, out);
  append_connection(rewrite, out);
}

void append_client_interim(const ResponseHead& head, std::string& out) {
  append_status_line(head, out);
  const NamedFields named(head.headers);
  for (const Header& header : head.headers) {
    const bool crosses = crosses_to_client(field_name(header.name)) && !named.contains(header.name);
    if (crosses) append_field(header.name, header.value, out);
  }
  out += "\r\n";
}

void append_page_fields(const PageFields& page, std::string& out) {
  if (page.vary) out += "Vary: Origin\r\n";
  if (page.origin.empty()) return;
  append_field("Access-Control-Allow-Origin", page.origin, out);
  out += "Access-Control-Allow-Credentials: true\r\n";
  // What tells of a refusal or of the new kernel.
  out += "Access-Control-Expose-Headers: Location, Retry-After, X-Request-Id\r\n";
}

bool is_coded(const ResponseHead& head) noexcept {
  const std::string_view coding = head.find("content-encoding");
  return !coding.empty() && !ascii::equals_ignore_case(coding, "identity");
}

bool has_form_body(const RequestHead& head) noexcept {
  if (head.framing == Framing::kNone) return false;
  return std::any_of(head.headers.begin(), head.headers.end(), [](const Header& header) {
    return field_name(header.name) == FieldName::kContentType &&
           (ascii::starts_with_ignore_case(header.value, "application/x-www-form-urlencoded") ||
            ascii::starts_with_ignore_case(header.value, "multipart/form-data"));
  });
}

}  // namespace kg::http
