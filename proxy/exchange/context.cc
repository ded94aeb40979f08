#include "proxy/exchange/context.h"

#include <fmt/format.h>

#include "proxy/base/crypto.h"

namespace kg::exchange {

std::string WorkerContext::next_request_id() {
  constexpr size_t kPrefixBytes = 6;  // tells processes and workers apart
  if (id_prefix_.empty()) id_prefix_ = crypto::random_hex(kPrefixBytes);
  return fmt::format("{}{:08x}", id_prefix_, id_counter_++);
}

}  // namespace kg::exchange
