// The server_name extension of a ClientHello: whatever stands in it, a name is a part of it, and
// the last one.
#include "proxy/tls/server_name.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const std::string_view name = tls::server_name_of(input);
  if (name.empty()) return;
  KG_ASSERT(input.size() == name.size() + 5 && input.ends_with(name));
  KG_ASSERT(name.size() <= 255 && name.find('\0') == std::string_view::npos);
}

}  // namespace kg::fuzz
