#include "proxy/upstream/own_request.h"

namespace kg::upstream {

std::string head_of(const OwnRequest& request, const routing::Endpoint& endpoint,
                    const routing::Pod& pod) {
  std::string out(request.method);
  out += ' ';
  if (!endpoint.strip_prefix) out.append(endpoint.path_prefix);
  out.append(request.path).append(" HTTP/1.1\r\nHost: ").append(pod.address.text());
  out.append("\r\nUser-Agent: ").append(request.user_agent);
  out.append("\r\nAccept: ").append(request.accept).append("\r\n");
  if (!request.token.empty()) {
    out.append("Authorization: token ").append(request.token).append("\r\n");
  }
  if (request.last) out.append("Connection: close\r\n");
  return out.append("\r\n");
}

std::string path_of(kernel::Operation operation, std::string_view id) {
  kernel::KernelRequest request;
  request.operation = operation;
  request.kernel_id = id;
  std::string out;
  kernel::append_target(request, "", out);
  return out;
}

}  // namespace kg::upstream
