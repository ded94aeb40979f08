#include "routing/endpoint_compiler.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "proxy/kernel/kernel_id.h"
#include "routing/session_compiler.h"

namespace kg::routing {
namespace {

constexpr size_t kTokenBytesMax = size_t{8} * 1024;  // one header line of a gateway (domain G8)

// One byte more than a token and its line end, of a file that has more.
bool read_token_file(const std::string& path, std::string& token) {
  std::ifstream file(path, std::ios::binary);
  token.assign(kTokenBytesMax + 3, '\0');
  file.read(token.data(), static_cast<std::streamsize>(token.size()));
  if (!file.is_open() || file.bad()) return false;
  token.resize(static_cast<size_t>(file.gcount()));
  return true;
}

KernelPolicy kernel_policy(const config::Endpoint& wanted) {
  using Kind = config::Sharing::Kind;
  KernelPolicy out;
  if (wanted.sharing.kind == Kind::kGroup) out.sharing = KernelPolicy::Sharing::kGroup;
  if (wanted.sharing.kind == Kind::kEndpoint) out.sharing = KernelPolicy::Sharing::kEndpoint;
  out.group = wanted.sharing.group;
  out.foreign_ids = wanted.kernels.foreign_ids == config::ForeignIds::kEndpoint;
  return out;
}

PoolLimits pool_limits(const config::Gateway& gateway) {
  PoolLimits out;
  out.active_max = gateway.connections_max;
  out.queue_max = gateway.queue_max;
  out.queue_ms = static_cast<uint32_t>(gateway.queue_timeout.count());
  out.connect_ms = static_cast<uint32_t>(gateway.connect_timeout.count());
  out.idle_ms = static_cast<uint32_t>(gateway.idle_timeout.count());
  return out;
}

HealthCheck health_check(const config::HealthCheck& wanted) {
  HealthCheck out;
  out.enabled = wanted.enabled;
  out.path = wanted.path;
  out.interval_ms = static_cast<uint32_t>(wanted.interval.count());
  out.timeout_ms = static_cast<uint32_t>(wanted.timeout.count());
  out.unhealthy_after = wanted.unhealthy_after;
  out.healthy_after = wanted.healthy_after;
  return out;
}

}  // namespace

std::shared_ptr<Endpoint> EndpointCompiler::compile(const config::Endpoint& wanted,
                                                    const Source& source,
                                                    auth::SessionsRef sessions) {
  source_ = source;
  auto endpoint = std::make_shared<Endpoint>();
  endpoint->id = wanted.id;
  endpoint->virtual_cluster = wanted.virtual_cluster;
  endpoint->path_prefix = wanted.path_prefix;
  endpoint->strip_prefix = wanted.strip_prefix;
  endpoint->forward_other_paths = wanted.other_paths == config::OtherPaths::kForward;
  endpoint->notebook_sessions = wanted.notebook_sessions;
  endpoint->launch_timeout_ms = static_cast<uint32_t>(wanted.gateway.kernel_launch_timeout.count());
  endpoint->launches_max = wanted.gateway.launches_max;
  endpoint->launch_queue_max = wanted.gateway.launch_queue_max;
  endpoint->kernels = kernel_policy(wanted);
  endpoint->launch_rules = {wanted.kernels.pass, wanted.kernels.deny, wanted.kernels.spark_conf};
  endpoint->metrics_slot = slots_.slot_for(wanted.virtual_cluster, wanted.id);
  endpoint->gateway_token = gateway_token(wanted.gateway);
  endpoint->forwards_credentials =
      wanted.gateway.credentials == config::GatewayCredentials::kForward;
  endpoint->health = health_check(wanted.gateway.health_check);
  endpoint->census_ms = static_cast<uint32_t>(wanted.gateway.census.count());
  endpoint->session_rules = wanted.sessions.rules;
  endpoint->quotas = wanted.quotas;
  const config::IdentityHeaders& headers = wanted.gateway.identity_headers;
  endpoint->identity_headers = {headers.subject, headers.realm, headers.groups, headers.role};
  if (sessions == nullptr) {
    sessions = compile_sessions(wanted, endpoint->gateway_token, sources_, contexts_,
                                session_files_, source_, errors_);
  }
  endpoint->sessions = std::move(sessions);
  endpoint->session_cookie = wanted.sessions.cookie;
  endpoint->allowed_origins = wanted.allowed_origins;
  for (const config::Range& range : wanted.allow_sources) endpoint->allow_sources.add(range.text);
  endpoint->replication = wanted.gateway.replication;
  endpoint->list_stale_ms = static_cast<uint32_t>(wanted.gateway.list_stale_for.count());
  endpoint->reconnect_ms = static_cast<uint32_t>(wanted.gateway.websocket_reconnect.count());
  endpoint->gone_after_ms = static_cast<uint32_t>(wanted.gateway.gone_after.count());
  endpoint->pods = pods_of(wanted);
  return endpoint;
}

std::vector<Pod> EndpointCompiler::pods_of(const config::Endpoint& wanted) {
  std::vector<Pod> pods;
  const auto contexts = contexts_of(wanted.gateway);
  for (const config::Pod& pod : wanted.gateway.pods) {
    const auto address = event::SocketAddress::parse(pod.address.host, pod.address.port);
    if (!address) {
      fail(wanted.place, "the pod's address is not numeric", "write it as IP:port");
      continue;
    }
    Pod made;
    made.name = pod.name;
    made.tag = kernel::pod_tag_of(pod.identity());
    made.address = *address;
    made.limits = pool_limits(wanted.gateway);
    made.tls = pod_tls(wanted.gateway, pod, contexts);
    made.facts = pods_.facts_of(wanted.virtual_cluster, wanted.id, pod.identity(), address->text());
    made.twin = std::any_of(pods.begin(), pods.end(),
                            [&](const Pod& other) { return other.tag == made.tag; });
    pods.push_back(std::move(made));
  }
  return pods;
}

std::shared_ptr<const PodTls> EndpointCompiler::pod_tls(const config::Gateway& gateway,
                                                        const config::Pod& pod,
                                                        const ContextsRef& contexts) {
  if (!gateway.tls) return nullptr;
  auto out = std::make_shared<PodTls>();
  const std::string& name = gateway.tls->server_name;
  out->name.text = name.empty() ? pod.address.host : name;
  out->name.is_address = event::SocketAddress::parse(out->name.text, 0).has_value();
  out->contexts = contexts;
  return out;
}

// Without pods too: what is wrong is to be said before there are any.
EndpointCompiler::ContextsRef EndpointCompiler::contexts_of(const config::Gateway& gateway) {
  if (!gateway.tls) return nullptr;
  tls::ClientTlsFiles files{gateway.tls->ca_file, "", ""};
  if (gateway.tls->client_certificate) {
    files.certificate = gateway.tls->client_certificate->certificate;
    files.private_key = gateway.tls->client_certificate->private_key;
  }
  std::string problem;
  ContextsRef contexts = contexts_.contexts(source_.with_texts(std::move(files)), problem);
  if (contexts == nullptr) {
    fail(gateway.tls->place, problem,
         "give PEM files: the CA's certificates, and the chain, leaf first, with its unencrypted "
         "private key");
  }
  return contexts;
}

Secret EndpointCompiler::gateway_token(const config::Gateway& gateway) {
  if (gateway.token_file.empty()) return {};
  std::string token;
  if (const std::string* text = source_.text_of(gateway.token_file)) {
    token = *text;
  } else if (!read_token_file(gateway.token_file, token)) {
    fail(gateway.token_place, "cannot read " + gateway.token_file,
         "check that the file exists and that this user may read it");
    return {};
  }
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  bool printable = !token.empty() && token.size() <= kTokenBytesMax;
  for (const char c : token) printable = printable && c > ' ' && c < 0x7f;
  Secret secret(std::move(token));
  if (!printable) {
    fail(gateway.token_place, "the token file does not hold one printable token",
         "write the gateway's EG_AUTH_TOKEN into it, on one line");
  }
  return secret;
}

void EndpointCompiler::fail(const config::Place& place, std::string problem, std::string remedy) {
  errors_.push_back({source_.name, place.line, place.key, std::move(problem), std::move(remedy)});
}

}  // namespace kg::routing
