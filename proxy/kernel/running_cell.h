// The cell that a kernel's message belongs to: what a notice has to name as its parent, or no
// notebook shows it in an output.
#pragma once

#include <string>
#include <string_view>

#include "proxy/kernel/notice.h"

namespace kg::kernel {

// `payload`: of one whole WebSocket message of a gateway. The message's parent header, as JSON, if
// it is on iopub, comes of an execute_request and is not the `idle` after which a notebook takes
// nothing more for that cell. "" for everything else, and for what is no kernel message at all.
std::string running_cell(Framing framing, std::string_view payload);

}  // namespace kg::kernel
