#include "routing/item_check.h"

#include <utility>

#include "routing/announced.h"
#include "routing/announced_certificate.h"
#include "routing/revocation_notice.h"

namespace kg::routing {
namespace {

// Its loop never runs, so what is posted to it stays.
constexpr size_t kChecksPerProxy = 256;

}  // namespace

struct ItemCheck::Proxy {
  metrics::EndpointSlots slots{1};
  fetch::Fetcher fetcher;  // never started
  auth::Sources sources{fetcher};
  PodBook pods;
  size_t checks = 0;
};

ItemCheck::ItemCheck() = default;
ItemCheck::~ItemCheck() = default;

Checked ItemCheck::check(const feed::Item& item) {
  Checked out;
  if (item.key.starts_with(kEndpointKey)) return check_endpoint(item);
  if (item.key.starts_with(kCertificateKey)) {
    ReadCertificate read = read_announced_certificate(item.key, *item.payload);
    out.problem = std::move(read.problem);
    if (read.certificate == nullptr) return out;
    for (const std::string& host : read.certificate->hosts) {
      out.claims.push_back("certificate " + host);
    }
  } else if (is_revocations_key(item.key) && !read_revocations(item)) {
    out.problem = "cannot be read";
  }
  return out;
}

Checked ItemCheck::check_endpoint(const feed::Item& item) {
  ReadAnnounced read = read_announced(*item.payload, config::UnknownKeys::kRefused);
  if (!read.endpoint) return {std::move(read.problem), {}};
  if (proxy_ == nullptr || ++proxy_->checks > kChecksPerProxy) proxy_ = std::make_unique<Proxy>();
  EndpointCompiler compiler(proxy_->slots, proxy_->sources, proxy_->pods, contexts_);
  const std::vector<Route> routes = compile_announced(*read.endpoint, compiler, nullptr);
  Checked out;
  for (const config::ConfigError& error : compiler.take_errors()) {
    if (error.warning) continue;
    out.problem = error.key + ": " + error.problem + ": " + error.remedy;
    break;
  }
  out.claims.push_back("id " + read.endpoint->endpoint.id);
  for (const Route& route : routes) out.claims.push_back(rule_of(route));
  return out;
}

}  // namespace kg::routing
