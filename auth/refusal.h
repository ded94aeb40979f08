// What is said of a credential that does not hold. `detail` is for the operator: which check
// failed, never a value. It must be a literal.
#pragma once

#include "proxy/base/error.h"

namespace kg::auth {

inline Error refused(const char* detail) { return {ErrorCode::kUnauthorized, detail, 0}; }
// Nobody could be asked, or the answer says nothing: not the client's fault.
inline Error unclear(const char* detail) { return {ErrorCode::kSessionUnknown, detail, 0}; }

}  // namespace kg::auth
