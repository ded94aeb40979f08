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
#include "proxy/server/cordon_keeper.h"
#include "proxy/server/kernel_id_keeper.h"
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
  for (const routing::Pod& pod : endpoint.pods) {
    const char* closed = "";
    if (pod.facts->cordoned()) closed = " (cordoned: takes no new kernels)";
    if (pod.twin) closed = " (ids cannot tell it from a pod before it: takes no new kernels)";
    fmt::print("pod         {} at {}{}\n", pod.name, pod.address.text(), closed);
  }
  const auth::Policy& policy = endpoint.sessions->policy();
  fmt::print("policy      claim endpoint = {}, of no other virtual cluster{}{}\n",
             policy.endpoint_id, policy.allowed.empty() ? "" : ", or named by sessions.allow",
             policy.support.empty() ? "" : ", or by sessions.support");
}

// The pod that an id names, if it was made with these keys.
const routing::Pod* named_pod(const routing::Endpoint& endpoint, std::string_view text,
                              const KernelIdKeysRef& keys) {
  const auto id = kernel::parse_kernel_id(text);
  if (!id || keys == nullptr || !keys->is_minted(endpoint.id, *id)) return nullptr;
  for (const routing::Pod& pod : endpoint.pods) {
    if (pod.tag == id->pod_tag) return &pod;
  }
  return nullptr;
}

std::string create_goes_to(const routing::Endpoint& endpoint) {
  std::string names;
  for (const routing::Pod& pod : endpoint.pods) {
    if (pod.takes_new()) names += (names.empty() ? "" : " or ") + pod.name;
  }
  if (names.empty()) return "no pod: none takes new kernels";
  return names + ": the less loaded of two that are healthy";
}

// As far as it can be said without asking anybody: health and lists are a running proxy's.
void print_placement(const routing::Endpoint& endpoint, const kernel::KernelRequest& request,
                     const KernelIdKeysRef& keys) {
  std::string goes_to = "any healthy pod";
  if (request.operation == kernel::Operation::kCreateKernel) {
    goes_to = create_goes_to(endpoint);
  } else if (endpoint.pods.size() == 1) {
    goes_to = endpoint.pods.front().name + ": the only pod";
  } else if (request.operation == kernel::Operation::kListKernels) {
    goes_to = "all pods: each tells its own kernels";
  } else if (!request.kernel_id.empty()) {
    const routing::Pod* pod = named_pod(endpoint, request.kernel_id, keys);
    goes_to = pod != nullptr ? pod->name + ": the id names it"
                             : "the pod whose own list has it: the id names none";
  }
  fmt::print("goes to     {}\n", goes_to);
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

// What an admin call closed stands in state_dir.
void close_pods(const config::Config& config, const std::vector<routing::EndpointRef>& endpoints) {
  std::string problem;
  const routing::Cordons cordons = read_cordons(cordon_file(config.state_dir), problem);
  for (const routing::EndpointRef& endpoint : endpoints) {
    for (const routing::Pod& pod : endpoint->pods) {
      pod.facts->set_cordoned(cordons.has(endpoint->id, pod.name));
    }
  }
}

void print_operation(const routing::Endpoint& endpoint, const kernel::KernelRequest& request,
                     const http::RequestHead& head, const KernelIdKeysRef& keys) {
  const std::string_view name = kernel::operation_name(request.operation);
  if (kernel::is_of_notebooks(request.operation)) {
    fmt::print(
        "operation   {} (notebook_sessions: true)\n"
        "upstream    the kernel operation that it comes to, if any\n",
        name);
    return;
  }
  const bool other = request.operation == kernel::Operation::kOther;
  const char* rule =
      endpoint.forward_other_paths ? " (other_paths: forward)" : " (other_paths: deny)";
  std::string target = endpoint.strip_prefix ? "" : endpoint.path_prefix;
  kernel::append_target(request, head.query, target);
  fmt::print("operation   {}{}\nupstream    {} {}\n", name, other ? rule : "", head.method_text,
             kernel::redacted_query(target));
  print_placement(endpoint, request, keys);
}

int explain_request(const http::RequestHead& head, const routing::RouteSnapshot& routes,
                    const KernelIdKeysRef& keys) {
  const routing::Match match = routes.match(head.authority, head.path);
  if (match.endpoint == nullptr) return refused({ErrorCode::kNoRoute, "", 0});
  const routing::Endpoint& endpoint = **match.endpoint;
  print_endpoint(endpoint);
  Result<kernel::KernelRequest> request = kernel::parse_operation(head.method, match.path);
  if (request && !endpoint.notebook_sessions) {
    request = kernel::without_notebooks(*request, match.path);
  }
  const Result<auth::PrincipalRef> session = session_of(head, *endpoint.sessions);
  if (request) {
    if (session) request->user = (*session)->subject;
    print_operation(endpoint, *request, head, keys);
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
  if (kernel::is_of_notebooks(request->operation)) {
    fmt::print("answer      the proxy's, of kernels that this subject may use\n");
    return 0;
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
  routing::PodBook pods;
  if (loaded.config) {
    prepared = prepare(*loaded.config, {}, {nullptr}, 1, OwnTls::make(), slots, sources, pods);
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
  close_pods(*loaded.config, prepared.endpoints);
  const int code = explain_request(head, *prepared.routes, find_kernel_id_keys(*loaded.config));
  fetcher.stop();
  return code;
}

}  // namespace kg::server
