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

}  // namespace kg::kernel
