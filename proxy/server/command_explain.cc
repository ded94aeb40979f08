#include <fmt/core.h>

#include <chrono>
#include <ctime>
#include <future>
#include <memory>
#include <utility>

#include "auth/sources.h"
#include "config/loader.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/credentials.h"
#include "proxy/fetch/fetcher.h"
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
  const auth::Policy& policy = endpoint.sessions->policy();
  fmt::print("policy      claim endpoint = {}{}{}\n", policy.endpoint_id,
             policy.allowed.empty() ? "" : ", or named by sessions.allow",
             policy.support.empty() ? "" : ", or by sessions.support");
}

// Waits for who knows, as long as a client would.
auth::Verdict ask(const auth::Authenticator& link, const auth::Evidence& evidence, int64_t now) {
  auto told = std::make_shared<std::promise<auth::Verdict>>();
  std::future<auth::Verdict> verdict = told->get_future();
  link.ask(evidence, now, [told](auth::Verdict said) { told->set_value(std::move(said)); });
  if (verdict.wait_for(std::chrono::milliseconds(limits::kSessionAskMs)) ==
      std::future_status::ready) {
    return verdict.get();
  }
  return auth::Verdict::refuses({ErrorCode::kSessionUnknown, "nobody answered in time", 0});
}

// As the workers do, without their memory.
Result<auth::PrincipalRef> session_of(const http::RequestHead& head,
                                      const auth::Sessions& sessions) {
  const Result<exchange::Credentials> shown = exchange::Credentials::of(head);
  if (!shown) return shown.error();
  const auth::Evidence evidence = shown->evidence();
  const int64_t now = time(nullptr);
  for (const auth::Proof proof : sessions.proofs()) {
    if (!evidence.has(proof)) continue;
    const auth::Sessions::Judged judged = sessions.judge(proof, evidence, now);
    auth::Verdict verdict = judged.verdict;
    if (verdict.kind == auth::Verdict::Kind::kNotMine) continue;
    if (verdict.kind == auth::Verdict::Kind::kAsk) verdict = ask(*judged.link, evidence, now);
    if (verdict.kind != auth::Verdict::Kind::kPrincipal) return verdict.error;
    auto principal = std::make_shared<const auth::Principal>(std::move(verdict.principal));
    const Result<void> allowed = sessions.policy().allow(*principal, now);
    if (!allowed) return allowed.error();
    return principal;
  }
  return Error{ErrorCode::kUnauthorized, "no credential that is known here", 0};
}

int explain_request(const http::RequestHead& head, const routing::RouteSnapshot& routes) {
  const routing::Match match = routes.match(head.authority, head.path);
  if (match.endpoint == nullptr) return refused({ErrorCode::kNoRoute, "", 0});
  const routing::Endpoint& endpoint = **match.endpoint;
  print_endpoint(endpoint);
  Result<kernel::KernelRequest> request = kernel::parse_operation(head.method, match.path);
  const Result<auth::PrincipalRef> session = session_of(head, *endpoint.sessions);
  if (request) {
    if (session) request->user = (*session)->subject;
    std::string target = endpoint.strip_prefix ? "" : endpoint.path_prefix;
    kernel::append_target(*request, head.query, target);
    const bool other = request->operation == kernel::Operation::kOther;
    const char* rule =
        endpoint.forward_other_paths ? " (other_paths: forward)" : " (other_paths: deny)";
    fmt::print("operation   {}{}\nupstream    {} {}\n", kernel::operation_name(request->operation),
               other ? rule : "", head.method_text, kernel::redacted_query(target));
  }
  if (!session) return refused(session.error());
  fmt::print("session     subject {} of realm {}, expires at {}\n", (*session)->subject,
             (*session)->realm, (*session)->expires_at);
  if (!request) return refused(request.error());
  const auth::Policy& policy = endpoint.sessions->policy();
  const Result<auth::Grant> grant = policy.permit(**session, request->operation);
  if (!grant) return refused(grant.error());
  if (grant->support) fmt::print("support     kernels of other owners too\n");
  if (!request->spec_name.empty() && !policy.shows_spec(request->spec_name)) {
    return refused({ErrorCode::kNoSpec, "not in kernels.specs", 0});
  }
  if (request->operation == kernel::Operation::kOther && !endpoint.forward_other_paths) {
    return refused({ErrorCode::kNoOperation, "", 0});
  }
  fmt::print("answer      the gateway's{}\n",
             request->kernel_id.empty() ? "" : " for a kernel that this subject may use, else 404");
  return 0;
}

}  // namespace

int explain_command(const ExplainOptions& options) {
  const config::Loaded loaded = config::load_file(options.config_file);
  Prepared prepared;
  metrics::EndpointSlots slots(1);
  fetch::Fetcher fetcher;
  auth::Sources sources(fetcher);
  if (loaded.config) {
    prepared = prepare(*loaded.config, {}, 1, 1, OwnTls::make(), slots, sources);
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
  fetcher.start();
  const int code = explain_request(head, *prepared.routes);
  fetcher.stop();
  return code;
}

}  // namespace kg::server
