// A request of the proxy's own to a gateway pod, without a body: what every one of them says of the
// endpoint's path prefix and token. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/kernel/operation.h"
#include "routing/endpoint.h"

namespace kg::upstream {

struct OwnRequest {
  std::string_view method = "GET";
  std::string_view path;   // below the endpoint's prefix
  std::string_view token;  // "": none is shown
  std::string_view user_agent = "kernelgate";
  std::string_view accept = "application/json";
  bool last = false;  // on its connection
};
std::string head_of(const OwnRequest& request, const routing::Endpoint& endpoint,
                    const routing::Pod& pod);

// The path of an operation without a query. `id`: of a kernel, "" for none.
std::string path_of(kernel::Operation operation, std::string_view id);

}  // namespace kg::upstream
