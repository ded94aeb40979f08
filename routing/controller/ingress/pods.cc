#include "routing/controller/ingress/pods.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "config/names.h"
#include "routing/controller/ingress/fetch_rules.h"
#include "routing/controller/ingress/limits.h"

namespace kg::ingress {
namespace {

struct Candidate {
  PodEntry entry;
  bool is_ipv6 = false;
};

const ServicePort* find_port(const ServiceSource& service, const Target& target) {
  for (const ServicePort& port : service.ports) {
    if (target.port_name.empty() ? port.number == target.port_number
                                 : port.name == target.port_name)
      return &port;
  }
  return nullptr;
}

std::string ports_of(const ServiceSource& service) {
  std::string out;
  for (const ServicePort& port : service.ports) {
    if (!out.empty()) out += ", ";
    out += std::to_string(port.number) + (port.name.empty() ? "" : " (" + port.name + ")");
  }
  return out.empty() ? "none over TCP" : out;
}

// "10.0.0.1:8888" as "10.0.0.1-8888", "[fd00::1]:8888" as "fd00--1--8888": a DNS name, as the names
// of pods are.
std::string dns_name_of(const std::string& address) {
  std::string out;
  for (const char c : address) {
    const bool is_plain = c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    if (is_plain || !out.empty()) out += is_plain ? c : '-';
  }
  return out;
}

// During a move two slices list one pod, perhaps one of them as it was before: the livelier wins.
auto rank(const Candidate& candidate, bool prefers_ipv6) {
  const PodEntry& pod = candidate.entry;
  return std::make_tuple(candidate.is_ipv6 == prefers_ipv6, pod.ready, pod.serving,
                         !pod.terminating);
}

class Gathering {
 public:
  Gathering(const ServiceSource& service, const ServicePort& port)
      : service_(service), port_(port) {}

  size_t refused() const noexcept { return refused_; }

  void add(const SliceSource& slice) {
    if (slice.is_fqdn) return;
    const auto found = std::ranges::find(slice.ports, port_.name, &SlicePort::name);
    if (found == slice.ports.end()) return;
    uint16_t number = found->number;
    if (number == 0) number = port_.target != 0 ? port_.target : port_.number;
    static constexpr config::KeyInfo kNoKey{};
    for (const SliceEndpoint& endpoint : slice.endpoints) {
      const std::string written = slice.is_ipv6 ? "[" + endpoint.address + "]" : endpoint.address;
      const auto address =
          config::parse_pod_address(written + ":" + std::to_string(number), kNoKey);
      if (!address.value) continue;
      if (is_own_address(endpoint.address)) {
        ++refused_;
        continue;
      }
      Candidate made;
      made.is_ipv6 = slice.is_ipv6;
      made.entry.address = config::address_text(*address.value);
      made.entry.name = endpoint.pod.empty() ? dns_name_of(made.entry.address) : endpoint.pod;
      made.entry.uid = endpoint.uid.empty() ? made.entry.name : endpoint.uid;
      made.entry.ready = endpoint.ready;
      made.entry.serving = endpoint.serving;
      made.entry.terminating = endpoint.terminating;
      keep(std::move(made));
    }
  }

  std::vector<PodEntry> take() {
    std::vector<PodEntry> out;
    for (auto& [key, candidate] : found_) out.push_back(std::move(candidate.entry));
    return out;
  }

 private:
  void keep(Candidate made) {
    // A name is used again by the next pod of a StatefulSet, a uid never (K17).
    const std::pair key{made.entry.name, made.entry.uid};
    const auto [place, is_new] = found_.try_emplace(key, made);
    const bool ipv6 = service_.prefers_ipv6;
    if (!is_new && rank(made, ipv6) > rank(place->second, ipv6)) place->second = std::move(made);
  }

  const ServiceSource& service_;
  const ServicePort& port_;
  size_t refused_ = 0;
  std::map<std::pair<std::string, std::string>, Candidate> found_;
};

void keep_most_useful(std::vector<PodEntry>& pods, const std::string& subject, Findings& findings) {
  if (pods.size() <= kPodsMax) return;
  findings.error("TooManyPods", subject + " has " + std::to_string(pods.size()) +
                                    " pods, and an endpoint at most " + std::to_string(kPodsMax) +
                                    ": scale it down, or split the endpoint");
  std::ranges::stable_sort(pods, [](const PodEntry& a, const PodEntry& b) {
    return std::pair(a.ready, a.serving) > std::pair(b.ready, b.serving);
  });
  pods.resize(kPodsMax);
  std::ranges::sort(pods, {}, [](const PodEntry& pod) { return std::tie(pod.name, pod.uid); });
}

}  // namespace

Pods pods_of(const Target& target, const ServiceSource* service,
             const std::vector<const SliceSource*>& slices, Findings& findings) {
  Pods out;
  const std::string subject = "Service " + quote(target.service);
  if (service == nullptr) {
    findings.warn("ServiceNotFound", subject + " is not there: make it, or name another one");
    return out;
  }
  if (service->is_external_name) {
    findings.error("ExternalService",
                   subject + " is an ExternalName, which has no pods: name one that selects pods");
    return out;
  }
  const ServicePort* port = find_port(*service, target);
  if (port == nullptr) {
    findings.error("PortNotFound", subject + " has no port " + quote(target.port_text()) +
                                       ": it has " + ports_of(*service));
    return out;
  }
  out.is_tls = port->app_protocol == "https" || port->app_protocol == "kubernetes.io/wss";
  Gathering gathering(*service, *port);
  for (const SliceSource* slice : slices) gathering.add(*slice);
  out.pods = gathering.take();
  if (gathering.refused() > 0) {
    findings.error("AddressNotAllowed",
                   subject + " has " + std::to_string(gathering.refused()) +
                       " addresses of the proxy's own machine or link, which are left out: write "
                       "those of pods into its EndpointSlices");
  }
  keep_most_useful(out.pods, subject, findings);
  const bool any = std::ranges::any_of(out.pods, &PodEntry::serving);
  if (!any)
    findings.warn("NoPods", subject + " has no serving pod: requests get 503 until there is one");
  return out;
}

}  // namespace kg::ingress
