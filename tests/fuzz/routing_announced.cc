// What the feed announces: an endpoint or a list of revocations, from a controller that may be of
// another version. Whatever is read keeps what routes and pods promise.
#include "routing/announced.h"
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
  if (const auto entries = routing::read_revocations_payload(input)) {
    const auto again = routing::read_revocations_payload(routing::revocations_payload(*entries));
    KG_ASSERT(again && *again == *entries);
  }
  if (const auto notice = routing::RevocationNotice::parse(input)) {
    const auto again = routing::RevocationNotice::parse(notice->text());
    KG_ASSERT(again && again->revoked == notice->revoked);
    KG_ASSERT(again->revocation == notice->revocation);
  }
}

}  // namespace kg::fuzz
