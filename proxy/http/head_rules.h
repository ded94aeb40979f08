// What a parsed head means: target, Host, framing and connection, or why it is refused
// (RFC 9112 sections 3, 6 and 9.3). Private to proxy/http; HeadReader's header lists the refusals.
#pragma once

#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace kg::http {

// The start line alone, as soon as it is complete; also sets the version. Without CRLF.
Result<void> check_request_line(std::string_view line, RequestHead& head);
Result<void> check_status_line(std::string_view line, ResponseHead& head);

// After parse_*_parts(): fills everything that is derived from target and fields.
Result<void> apply_request_rules(RequestHead& head);
Result<void> apply_response_rules(ResponseHead& head, Method request_method);

}  // namespace kg::http
