// What a client sees of a gateway's error: its reason and message, never the rest (domain G16).
// Gateways add Python tracebacks to them (J4a), with names and paths of the cluster.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kg::kernel {

struct ReducedError {
  std::string json;    // {"reason": ..., "message": ...}
  bool whole = false;  // the body said nothing else
};

// Of a whole body; each text at most kErrorTextBytesMax. A reason that is missing or no text is
// `phrase`, such a message "". nullopt for what is not one JSON object with at least one of the two
// as text, has one of them twice, or nests deeper than 32.
std::optional<ReducedError> reduce_error(std::string_view body, std::string_view phrase);

// Whether a whole body of a 500 to a restart says that nothing was done, because the gateway does
// not know the kernel: its traceback ends where it looks the kernel up in its memory, which it does
// before all else. Elsewhere that is a 404 (domain 0.12).
bool says_unknown_kernel(std::string_view body);

}  // namespace kg::kernel
