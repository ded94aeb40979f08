// The cell of a gateway's message: a JSON object or nothing, and the notice that stands in it is a
// message whose cell is found again.
#include <nlohmann/json.hpp>

#include "proxy/kernel/running_cell.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  using nlohmann::json;
  for (const kernel::Framing framing : {kernel::Framing::kLegacy, kernel::Framing::kV1}) {
    const std::string cell = kernel::running_cell(framing, input);
    if (cell.empty()) continue;
    const json parent = json::parse(cell, nullptr, /*allow_exceptions=*/false);
    KG_ASSERT(parent.is_object() && parent["msg_type"] == "execute_request");
    const std::string notice = kernel::stderr_notice(framing, "text", cell, "session", 1);
    KG_ASSERT(kernel::running_cell(framing, notice) == cell);
  }
}

}  // namespace kg::fuzz
