#include "proxy/http/head_rules.h"

#include "proxy/base/ascii.h"
#include "proxy/http/field_name.h"
#include "proxy/http/target.h"

namespace kg::http {
namespace {

// What the fields that decide about the message say, all of one name taken together.
struct Facts {
  size_t hosts = 0;
  std::string_view host;
  size_t lengths = 0;
  std::string_view length;
  size_t codings = 0;       // elements of Transfer-Encoding
  size_t chunked_at = 0;    // 1-based place of the first "chunked", 0: none
  bool has_coding = false;  // a Transfer-Encoding field is there
  bool bad_coding = false;  // an empty or malformed element
  bool close = false;       // Connection: close
  bool keep_alive = false;  // Connection: keep-alive
  bool upgrade = false;     // Connection: upgrade
  bool websocket = false;   // Upgrade: websocket
  size_t expectations = 0;
  bool expect_continue = false;
};

void add_connection(std::string_view value, Facts& facts) {
  ascii::for_each_element(value, [&facts](std::string_view option) {
    if (ascii::equals_ignore_case(option, "close")) facts.close = true;
    if (ascii::equals_ignore_case(option, "keep-alive")) facts.keep_alive = true;
    if (ascii::equals_ignore_case(option, "upgrade")) facts.upgrade = true;
  });
}

// Empty list elements count as malformed although lists may have them: peers disagree about
// "chunked," and framing is no place for disagreement.
void add_coding(std::string_view value, Facts& facts) {
  facts.has_coding = true;
  for (size_t comma = 0; comma != std::string_view::npos;) {
    comma = value.find(',');
    const std::string_view coding = ascii::trim(value.substr(0, comma));
    ++facts.codings;
    if (ascii::equals_ignore_case(coding, "chunked")) {
      if (facts.chunked_at == 0) facts.chunked_at = facts.codings;
    } else if (!is_token(coding.substr(0, coding.find_first_of("; \t")))) {
      facts.bad_coding = true;
    }
    if (comma != std::string_view::npos) value.remove_prefix(comma + 1);
  }
}

Facts collect(const std::vector<Header>& headers) {
  Facts facts;
  for (const Header& header : headers) {
    switch (field_name(header.name)) {
      case FieldName::kHost:
        ++facts.hosts;
        facts.host = header.value;
        break;
      case FieldName::kContentLength:
        ++facts.lengths;
        facts.length = header.value;
        break;
      case FieldName::kTransferEncoding:
        add_coding(header.value, facts);
        break;
      case FieldName::kConnection:
        add_connection(header.value, facts);
        break;
      case FieldName::kUpgrade:
        ascii::for_each_element(header.value, [&facts](std::string_view protocol) {
          if (ascii::equals_ignore_case(protocol, "websocket")) facts.websocket = true;
        });
        break;
      case FieldName::kExpect:
        ascii::for_each_element(header.value, [&facts](std::string_view value) {
          ++facts.expectations;
          facts.expect_continue = ascii::equals_ignore_case(value, "100-continue");
        });
        break;
      default:
        break;
    }
  }
  return facts;
}

struct Body {
  Framing framing = Framing::kNone;
  uint64_t length = 0;
};

// RFC 9112 sections 6.1 to 6.3; kNone if the fields name no body. `unknown` is the code for a
// coding that is well-formed but not ours.
Result<Body> body_of(const Facts& facts, uint8_t version_minor, ErrorCode fault,
                     ErrorCode unknown) {
  if (facts.has_coding) {
    if (facts.lengths > 0) return Error{fault, "Content-Length with Transfer-Encoding"};
    if (version_minor == 0) return Error{fault, "Transfer-Encoding in HTTP/1.0"};
    const bool misplaced = facts.chunked_at != 0 && facts.chunked_at != facts.codings;
    if (facts.bad_coding || misplaced) return Error{fault, "malformed Transfer-Encoding"};
    if (facts.codings != 1 || facts.chunked_at == 0) {
      return Error{unknown, "unknown transfer coding"};
    }
    return Body{Framing::kChunked, 0};
  }
  if (facts.lengths == 0) return Body{};
  if (facts.lengths > 1) return Error{fault, "repeated Content-Length"};
  const std::optional<uint64_t> length = ascii::parse_decimal(facts.length);
  if (!length) return Error{fault, "malformed Content-Length"};
  return Body{Framing::kLength, *length};
}

// RFC 9112 section 9.3.
bool persists(const Facts& facts, uint8_t version_minor) noexcept {
  return !facts.close && (version_minor == 1 || facts.keep_alive);
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// HTTP-version of RFC 9112 section 2.3; `unknown` for well-formed versions but 1.0 and 1.1.
Result<uint8_t> version_of(std::string_view text, ErrorCode fault, ErrorCode unknown) {
  const bool well_formed = text.size() == 8 && text.substr(0, 5) == "HTTP/" && is_digit(text[5]) &&
                           text[6] == '.' && is_digit(text[7]);
  if (!well_formed) return Error{fault, "malformed HTTP version"};
  if (text[5] != '1' || text[7] > '1') return Error{unknown, "HTTP version other than 1.0, 1.1"};
  return static_cast<uint8_t>(text[7] - '0');
}

}  // namespace

Result<void> check_request_line(std::string_view line, RequestHead& head) {
  const auto refuse = [](const char* detail) { return Error{ErrorCode::kBadRequest, detail}; };
  const size_t first = line.find(' ');
  if (first == std::string_view::npos) return refuse("malformed request line");
  const size_t second = line.find(' ', first + 1);
  if (second == std::string_view::npos) return refuse("malformed request line");
  if (!is_token(line.substr(0, first))) return refuse("malformed method");
  const std::string_view target = line.substr(first + 1, second - first - 1);
  if (target.empty()) return refuse("empty request target");
  for (const char c : target) {
    if (c <= ' ' || c >= 0x7f)
      return refuse("character outside ASCII or white space in the target");
    if (c == '#') return refuse("fragment in the target");
  }
  const Result<uint8_t> version =
      version_of(line.substr(second + 1), ErrorCode::kBadRequest, ErrorCode::kVersionNotSupported);
  if (!version) return version.error();
  head.version_minor = *version;
  return {};
}

Result<void> check_status_line(std::string_view line, ResponseHead& head) {
  constexpr ErrorCode kFault = ErrorCode::kUpstreamProtocol;
  const Result<uint8_t> version = version_of(line.substr(0, 8), kFault, kFault);
  if (!version) return version.error();
  head.version_minor = *version;
  // Some servers leave out the space before an empty reason phrase; nothing else can be meant.
  const bool shaped = line.size() >= 12 && line[8] == ' ' && (line.size() == 12 || line[12] == ' ');
  if (!shaped) return Error{kFault, "malformed status line"};
  const std::optional<uint64_t> status = ascii::parse_decimal(line.substr(9, 3));
  if (!status || *status < 100 || *status > 599) return Error{kFault, "status outside 100 to 599"};
  head.status = static_cast<uint16_t>(*status);
  return {};
}

Result<void> apply_request_rules(RequestHead& head) {
  constexpr ErrorCode kFault = ErrorCode::kBadRequest;
  const Facts facts = collect(head.headers);
  // RFC 9112 section 3.2; one Host at most in 1.0 too, since two could be read differently.
  if (facts.hosts > 1) return Error{kFault, "repeated Host"};
  if (facts.hosts == 0 && head.version_minor == 1) return Error{kFault, "missing Host"};
  const bool empty_in_1_0 = head.version_minor == 0 && facts.host.empty();
  if (!empty_in_1_0 && !is_authority(facts.host)) return Error{kFault, "malformed Host"};
  head.authority = facts.host;
  Result<void> target = split_target(head);
  if (!target) return target;

  const Result<Body> body = body_of(facts, head.version_minor, kFault, ErrorCode::kNotImplemented);
  if (!body) return body.error();
  head.framing = body->framing;
  head.content_length = body->length;
  head.keep_alive = persists(facts, head.version_minor);
  if (head.version_minor == 0) return {};  // 1.0 knows neither Expect nor Upgrade
  if (facts.expectations > 1 || (facts.expectations == 1 && !facts.expect_continue)) {
    return Error{ErrorCode::kExpectationFailed, "unknown expectation"};
  }
  head.expect_continue = facts.expect_continue;
  head.upgrade_websocket = head.method == Method::kGet && facts.upgrade && facts.websocket;
  return {};
}

Result<void> apply_response_rules(ResponseHead& head, Method request_method) {
  constexpr ErrorCode kFault = ErrorCode::kUpstreamProtocol;
  const Facts facts = collect(head.headers);
  const Result<Body> body = body_of(facts, head.version_minor, kFault, kFault);
  if (!body) return body.error();
  head.keep_alive = persists(facts, head.version_minor);
  const bool tunnel = request_method == Method::kConnect && head.status / 100 == 2;
  const bool bodiless = request_method == Method::kHead || head.status < 200 ||
                        head.status == 204 || head.status == 304 || tunnel;
  if (bodiless) {
    head.upgrade_websocket = head.status == 101 && facts.upgrade && facts.websocket;
    return {};
  }
  head.framing = body->framing == Framing::kNone ? Framing::kUntilClose : body->framing;
  head.content_length = body->length;
  if (head.framing == Framing::kUntilClose) head.keep_alive = false;
  return {};
}

}  // namespace kg::http
