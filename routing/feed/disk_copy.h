// The last good state on disk: with no controller a proxy starts with it.
//
// The file is "KGFCOPY1", a random salt, and the parts of an update of the whole state (message.h),
// each with four bytes of length (big-endian) and sealed (seal.h) under the proxy's secret feed
// key. So it tells nothing to who has only the disk, and is of no use to another proxy. An older
// copy of the same proxy that is put back is not noticed: it serves until a controller is there.
// Written beside it and renamed, mode 0600; what a crash left of that goes when a copy is loaded.
// Thread: any, one at a time; blocks on the disk.
// Limits: those of messages and of a whole state: no more than one record is held besides.
#pragma once

#include <string>
#include <string_view>

#include "proxy/base/secret.h"
#include "routing/feed/held_state.h"
#include "routing/feed/message.h"

namespace kg::feed {

// "" or what is wrong.
std::string save_copy(const std::string& file, const Secret& secret, const Content& content);

enum class Copy : uint8_t { kLoaded, kAbsent, kUnusable };
// Into a state that holds nothing, staged: HeldState::accept() makes it hold it. `problem` says
// with file and remedy why a copy cannot be used.
Copy load_copy(const std::string& file, const Secret& secret, uint64_t schema_low,
               uint64_t schema_high, HeldState& state, std::string& problem);
// The same of the file's text.
Copy read_copy(std::string_view text, const Secret& secret, uint64_t schema_low,
               uint64_t schema_high, HeldState& state, std::string& problem);

}  // namespace kg::feed
