#include "proxy/http/head_parser.h"

#include <llhttp.h>

#include <type_traits>

#include "proxy/base/ascii.h"
#include "proxy/http/field_name.h"

namespace kg::http {
namespace {

// Browsers behind an ALB send about 25 fields: one allocation for nearly every head.
constexpr size_t kHeadersReserve = 32;

struct Parts {
  std::string_view method;
  std::string_view url;
  std::string_view reason;
  std::vector<Header>* headers = nullptr;
  bool complete = false;
};

Parts& parts_of(llhttp_t* parser) noexcept { return *static_cast<Parts*>(parser->data); }

// The head lies in one buffer, so each span comes in one piece.
llhttp_settings_t make_settings() noexcept {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_method = [](llhttp_t* parser, const char* at, size_t size) noexcept {
    parts_of(parser).method = {at, size};
    return 0;
  };
  settings.on_url = [](llhttp_t* parser, const char* at, size_t size) noexcept {
    parts_of(parser).url = {at, size};
    return 0;
  };
  settings.on_status = [](llhttp_t* parser, const char* at, size_t size) noexcept {
    parts_of(parser).reason = {at, size};
    return 0;
  };
  settings.on_header_field = [](llhttp_t* parser, const char* at, size_t size) noexcept {
    parts_of(parser).headers->push_back({{at, size}, {}});
    return 0;
  };
  settings.on_header_value = [](llhttp_t* parser, const char* at, size_t size) noexcept {
    parts_of(parser).headers->back().value = ascii::trim({at, size});
    return 0;
  };
  // Framing is decided by our own rules, so llhttp never gets to the body.
  settings.on_headers_complete = [](llhttp_t* parser) noexcept -> int {
    parts_of(parser).complete = true;
    return HPE_PAUSED;
  };
  return settings;
}

Result<void> run(llhttp_type_t type, const std::string& bytes, size_t field_lines, Parts& parts,
                 ErrorCode fault) {
  static const llhttp_settings_t settings = make_settings();
  llhttp_t parser;
  llhttp_init(&parser, type, &settings);
  parser.data = &parts;
  parts.headers->reserve(field_lines > kHeadersReserve ? field_lines : kHeadersReserve);
  const llhttp_errno_t status = llhttp_execute(&parser, bytes.data(), bytes.size());
  if (!parts.complete || status != HPE_PAUSED) {
    // The start line was checked before, so these mean a method outside llhttp's list, or one of
    // another protocol (SETUP, SOURCE, PRI).
    const bool method =
        type == HTTP_REQUEST && (status == HPE_INVALID_METHOD || status == HPE_INVALID_CONSTANT ||
                                 status == HPE_INVALID_VERSION);
    if (method) return Error{ErrorCode::kNotImplemented, "unknown method"};
    const char* reason = llhttp_get_error_reason(&parser);  // a literal of llhttp.c
    return Error{fault, reason != nullptr ? reason : "malformed head"};
  }
  if (parts.headers->size() != field_lines) return Error{fault, "ambiguous header lines"};
  for (const Header& header : *parts.headers) {
    // llhttp may skip spaces before the colon (RFC 9112 section 5.1).
    const bool plain = is_token(header.name) && header.name.data()[header.name.size()] == ':';
    if (!plain) return Error{fault, "malformed header name"};
  }
  return {};
}

Method method_of(std::string_view text) noexcept {
  switch (text.size()) {
    case 3:
      return text == "GET" ? Method::kGet : text == "PUT" ? Method::kPut : Method::kOther;
    case 4:
      return text == "POST" ? Method::kPost : text == "HEAD" ? Method::kHead : Method::kOther;
    case 5:
      return text == "PATCH" ? Method::kPatch : text == "TRACE" ? Method::kTrace : Method::kOther;
    case 6:
      return text == "DELETE" ? Method::kDelete : Method::kOther;
    case 7:
      return text == "OPTIONS"   ? Method::kOptions
             : text == "CONNECT" ? Method::kConnect
                                 : Method::kOther;
    default:
      return Method::kOther;
  }
}

}  // namespace

Result<void> parse_request_parts(RequestHead& head, size_t field_lines) {
  Parts parts;
  parts.headers = &head.headers;
  Result<void> parsed = run(HTTP_REQUEST, head.bytes, field_lines, parts, ErrorCode::kBadRequest);
  if (!parsed) return parsed;
  head.method = method_of(parts.method);
  head.method_text = parts.method;
  head.target = parts.url;
  return {};
}

Result<void> parse_response_parts(ResponseHead& head, size_t field_lines) {
  Parts parts;
  parts.headers = &head.headers;
  Result<void> parsed =
      run(HTTP_RESPONSE, head.bytes, field_lines, parts, ErrorCode::kUpstreamProtocol);
  if (!parsed) return parsed;
  head.reason = parts.reason;
  return {};
}

}  // namespace kg::http
