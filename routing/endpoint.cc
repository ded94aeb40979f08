#include "routing/endpoint.h"

namespace kg::routing {

const std::string& Endpoint::location_prefix() const noexcept {
  static const std::string none;
  return strip_prefix ? path_prefix : none;
}

}  // namespace kg::routing
