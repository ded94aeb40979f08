// Request targets and Host values (RFC 9112 section 3.2, RFC 9110 section 7.2). Private to
// proxy/http.
#pragma once

#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace kg::http {

// uri-host [":" port] with a non-empty host (RFC 9110 section 4.2.1) and a port up to 65535;
// userinfo does not pass.
bool is_authority(std::string_view text) noexcept;

// Sets path, query and, for absolute and authority form, authority; the target is head.target.
Result<void> split_target(RequestHead& head);

}  // namespace kg::http
