// PodKeeper: what the control thread knows and decides of gateway pods: their health, their
// kernels, and which of them operators closed for new ones.
//
// Workers see it in each pod's PodFacts.
// Owner:  the Server. Thread: control. Blocks on the file of cordons, which is small.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "proxy/server/admin.h"
#include "proxy/server/cordon_keeper.h"
#include "proxy/server/process_logs.h"
#include "proxy/upstream/health_checker.h"
#include "proxy/upstream/pod_census.h"

namespace kg::server {

class PodKeeper final : public PodActions {
 public:
  // `thread`: index of the calling thread among those that connect. `slots`: of endpoints' metrics.
  PodKeeper(event::EventLoop& loop, size_t thread, uint32_t slots, ProcessLogs& logs)
      : loop_(loop), logs_(logs), health_(loop, thread, slots), census_(loop, thread) {}

  // A configuration is applied. Before workers see its endpoints: a cordon holds from the first
  // request on.
  void adopt(const config::Config& config, const std::vector<routing::EndpointRef>& endpoints);
  // Of the feed: likewise before workers see it.
  void edit(const std::vector<routing::EndpointRef>& gone,
            const std::vector<routing::EndpointRef>& fresh);
  void add_facts(metrics::ProcessFacts& facts) const;

 private:
  std::vector<PodReport> pods() const override;
  std::optional<PodReport> pod(const PodName& name) const override;
  Outcome cordon(const PodName& name) override;
  Outcome uncordon(const PodName& name) override;

  void close_cordoned(const std::vector<routing::EndpointRef>& endpoints) const;
  void add(const std::vector<routing::EndpointRef>& endpoints);
  PodReport report(const routing::Endpoint& endpoint, const routing::Pod& pod) const;
  PodReport report_left(const PodName& name) const;
  std::pair<const routing::Endpoint*, const routing::Pod*> find(const PodName& name) const;
  bool is_empty(const PodName& name, const routing::Pod& pod) const;
  void audit(metrics::AuditEvent event, const PodName& name) const;

  event::EventLoop& loop_;
  ProcessLogs& logs_;
  upstream::HealthChecker health_;
  upstream::PodCensus census_;
  CordonKeeper cordons_;
  std::map<PodName, uint64_t> closed_us_;  // since when each of cordons_ is, at the earliest
  std::multimap<std::string, routing::EndpointRef> endpoints_;  // by id
};

}  // namespace kg::server
