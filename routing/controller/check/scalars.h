// What a plain scalar of YAML means, as kubectl reads it.
//
// Pure; any thread.
#pragma once

#include <string>

#include "routing/controller/ingress/object.h"

namespace kg::check {

// null, true, false, a number, or the text itself.
ingress::Json plain_scalar(const std::string& text);

}  // namespace kg::check
