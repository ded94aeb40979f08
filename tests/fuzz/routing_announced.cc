// What the feed carries: an endpoint, a certificate or a list of revocations, from a controller
// that may be of another version, and what replicas say. Whatever is read keeps what routes and
// pods promise, and counts in the scope that brought it.
#include "routing/announced.h"
#include "routing/announced_certificate.h"
#include "routing/renewal_notice.h"
#include "routing/revocation_notice.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const routing::ReadAnnounced read = routing::read_announced(input);
  KG_ASSERT(read.endpoint.has_value() == read.problem.empty());
  if (read.endpoint) {
    KG_ASSERT(!read.endpoint->endpoint.id.empty());
    KG_ASSERT(read.endpoint->endpoint.hosts.empty() &&
              read.endpoint->endpoint.gateway.pods.empty());
    for (const routing::AnnouncedRoute& route : read.endpoint->routes) {
      const bool exact = route.type == routing::PathType::kExact;
      KG_ASSERT(exact ? route.path.starts_with('/') : !route.path.ends_with('/'));
      KG_ASSERT(route.path.empty() || route.path.front() == '/');
      KG_ASSERT(routing::prefix_of(route.type, route.path).size() <= route.path.size());
    }
    for (const routing::AnnouncedPod& pod : read.endpoint->pods) {
      KG_ASSERT(!pod.name.empty() && !pod.uid.empty() && pod.address.port != 0);
      KG_ASSERT(pod.uid.find('/') == std::string::npos);
    }
  }
  const routing::ReadCertificate certificate =
      routing::read_announced_certificate("certificate/a/b", input);
  KG_ASSERT((certificate.certificate != nullptr) == certificate.problem.empty());
  if (certificate.certificate != nullptr) {
    KG_ASSERT(!certificate.certificate->hosts.empty());
    KG_ASSERT(certificate.certificate->certificate != nullptr);
  }
  const feed::Item list{"revocations/a", "a", "*", std::make_shared<const std::string>(input)};
  if (const auto entries = routing::read_revocations(list)) {
    for (const feed::Item& item : routing::revocation_items(*entries)) {
      const auto again = routing::read_revocations(item);
      KG_ASSERT(again && again->size() == (item.scope_namespace.empty() ? 0 : entries->size()));
      for (size_t i = 0; i < again->size(); ++i) {
        KG_ASSERT((*again)[i].same_target((*entries)[i]) && (*again)[i].scope == "a");
      }
    }
  }
  const feed::Fact fact{"", "a", "x", std::string(input)};
  if (const auto notice = routing::RevocationNotice::of(fact)) {
    KG_ASSERT(notice->revocation.scope == "a/x" && notice->revocation.name.empty());
    const auto again = routing::RevocationNotice::of(notice->fact());
    KG_ASSERT(again && again->revoked == notice->revoked);
    KG_ASSERT(again->revocation == notice->revocation);
  }
  if (const auto renewals = routing::read_renewals(input)) {
    KG_ASSERT(routing::renewals_text(*renewals) == input);
  }
}

}  // namespace kg::fuzz
