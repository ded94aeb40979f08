#include <fmt/core.h>

#include <ctime>

#include "auth/session_cache.h"
#include "config/loader.h"
#include "proxy/exchange/session_check.h"
#include "proxy/http/head_reader.h"
#include "proxy/kernel/operation.h"
#include "proxy/server/commands.h"
#include "proxy/server/preparation.h"

namespace kg::server {
namespace {

// Host and target of http(s):// and ws(s):// URLs; an empty host means that it is none.
struct Url {
  std::string host;
  std::string target = "/";
};

Url split(const std::string& text) {
  Url url;
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return url;
  const size_t start = scheme + 3;
  const size_t end = text.find_first_of("/?", start);
  url.host = text.substr(start, end - start);
  if (end != std::string::npos) url.target = text.substr(end);
  if (url.target.front() == '?') url.target = fmt::format("/{}", url.target);
  return url;
}

int refused(const Error& error) {
  const ErrorRow& row = error.row();
  fmt::print("answer      {} {}: {}{}{}\n            {}\n", row.status, reason_phrase(row.status),
             row.cause, error.detail[0] != '\0' ? " Detail: " : "", error.detail, row.remedy);
  return 0;
}

void print_endpoint(const routing::Endpoint& endpoint) {
  fmt::print("endpoint    {} (virtual cluster {})\n", endpoint.id, endpoint.virtual_cluster);
  fmt::print("prefix      {}\n",
             endpoint.path_prefix.empty()
                 ? "none"
                 : endpoint.path_prefix + (endpoint.strip_prefix ? " (stripped)" : " (kept)"));
  fmt::print("pod         {} at {}\n", endpoint.pod.name, endpoint.pod.address.text());
  const auth::SessionPolicy& policy = endpoint.sessions->policy();
  fmt::print("policy      JWT of issuer {} for audience {}, claim endpoint = {}\n", policy.issuer,
             policy.audience, policy.endpoint_id);
}

int explain_request(const http::RequestHead& head, const routing::RouteSnapshot& routes) {
  const routing::Match match = routes.match(head.authority, head.path);
  if (match.endpoint == nullptr) return refused({ErrorCode::kNoRoute, "", 0});
  const routing::Endpoint& endpoint = **match.endpoint;
  print_endpoint(endpoint);
  const Result<kernel::KernelRequest> request = kernel::parse_operation(head.method, match.path);
  if (request) {
    std::string target = endpoint.strip_prefix ? "" : endpoint.path_prefix;
    kernel::append_target(*request, head.query, target);
    const bool other = request->operation == kernel::Operation::kOther;
    const char* rule =
        endpoint.forward_other_paths ? " (other_paths: forward)" : " (other_paths: deny)";
    fmt::print("operation   {}{}\nupstream    {} {}\n", kernel::operation_name(request->operation),
               other ? rule : "", head.method_text, kernel::redacted_query(target));
  }
  auth::SessionCache cache;
  const auto session = exchange::check_session(head, endpoint, cache, time(nullptr));
  if (!session) return refused(session.error());
  fmt::print("session     subject {} of realm {}, expires at {}\n", (*session)->subject,
             (*session)->realm, (*session)->expires_at);
  if (!request) return refused(request.error());
  if (request->operation == kernel::Operation::kOther && !endpoint.forward_other_paths) {
    return refused({ErrorCode::kNoOperation, "", 0});
  }
  fmt::print("answer      the gateway's\n");
  return 0;
}

}  // namespace

int explain_command(const ExplainOptions& options) {
  const config::Loaded loaded = config::load_file(options.config_file);
  Prepared prepared;
  metrics::EndpointSlots slots(1);
  if (loaded.config) {
    prepared = prepare(*loaded.config, {}, 1, 1, OwnTls::make(), slots);
  }
  if (prepared.routes == nullptr) return check_command(options.config_file);
  const Url url = split(options.url);
  if (url.host.empty()) {
    fmt::print(stderr, "kernelgate explain: --url is like https://HOST[:PORT]/api/kernels\n");
    return 2;
  }
  std::string text =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", options.method, url.target, url.host);
  if (!options.token.empty()) text += fmt::format("Authorization: token {}\r\n", options.token);
  text += "\r\n";
  http::RequestHead head;
  http::RequestReader reader(head);
  const Result<size_t> read = reader.feed(text);
  if (!read) return refused(read.error());
  return explain_request(head, *prepared.routes);
}

}  // namespace kg::server
