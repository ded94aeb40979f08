// The one door to llhttp: names the parts of a complete head as views into its bytes.
// The bytes have passed HeadScanner and the start-line check. Private to proxy/http.
#pragma once

#include <cstddef>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace kg::http {

// `field_lines` is how many the scan counted: a parser that sees another number is not believed.
// kNotImplemented for a method that llhttp does not know (RFC 9110 section 9.1).
Result<void> parse_request_parts(RequestHead& head, size_t field_lines);
Result<void> parse_response_parts(ResponseHead& head, size_t field_lines);

}  // namespace kg::http
