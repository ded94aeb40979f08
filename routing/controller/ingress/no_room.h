// What an object's owner hears where there is no room for it.
//
// Pure; any thread.
#pragma once

#include <cstddef>

#include "routing/controller/ingress/findings.h"
#include "routing/controller/ingress/shares.h"

namespace kg::ingress {

// `verdict`: any but kServed.
Finding no_room(Shares::Verdict verdict, const ShareBounds& bounds);
Finding no_room_for_hosts(size_t most);  // of one namespace

}  // namespace kg::ingress
