// One cookie out of the Cookie fields of a request (RFC 6265 section 4.2.1), by its name.
//
// Only the one that is asked for is judged. What other applications of the host put into theirs is
// not our business, and no cookie of a browser can hold the ';' that ends it (section 5.2).
#pragma once

#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace kg::http {

// Its value, without the quotes that may stand around it; "" if there is none or it is empty. Names
// are compared byte by byte. kBadRequest if the name stands there twice, because a neighbour
// under the same domain can add one that goes first, or if the value is none (cookie-octet).
Result<std::string_view> cookie(const RequestHead& head, std::string_view name);

// A name that a cookie may have (token of RFC 9110 section 5.6.2).
bool is_cookie_name(std::string_view name) noexcept;

}  // namespace kg::http
