// The Server among replicas: what comes by the feed goes to where it counts, and what was seen here
// goes to the feed.
#include <utility>

#include "proxy/server/server.h"

namespace kg::server {

FeedKeeper::Hooks Server::feed_hooks() {
  return {
      [this](auto upserts, auto deletes, bool whole) {
        return apply_feed(upserts, deletes, whole);
      },
      [this](const routing::RevocationNotice& notice) { live_sessions_.hear(notice); },
      [this](const auth::Place& place, std::vector<routing::Renewal> renewals) {
        renewals_.hear(renewals, place);
        const auto heard = std::make_shared<const HeardRenewals>(HeardRenewals{
            std::string(place.virtual_cluster), std::string(place.endpoint), std::move(renewals)});
        for (const auto& worker : workers_) worker->hear_renewals(heard);
      },
      [this](std::vector<auth::Revocation> entries, uint64_t term) {
        live_sessions_.set_announced(std::move(entries), term);
      }};
}

void Server::use_replicas() {
  live_sessions_.use_replicas(feed_);
  session_board_.tell_replicas([this](const auth::PrincipalRef& who, const auth::Place& place) {
    loop_.post([this, who, cluster = std::string(place.virtual_cluster),
                endpoint = std::string(place.endpoint)] {
      renewals_.note(*who, {cluster, endpoint});
    });
  });
}

}  // namespace kg::server
