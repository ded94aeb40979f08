#include "config/alb_reader.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "config/names.h"
#include "config/service_reader.h"
#include "config/values.h"

namespace kg::config {
namespace {

constexpr size_t kAccountDigits = 12;

// arn:PARTITION:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID
struct LoadBalancer {
  std::string_view partition;
  std::string_view region;
};

bool is_plain(std::string_view text, std::string_view more) noexcept {
  return !text.empty() && std::ranges::all_of(text, [more](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

std::optional<LoadBalancer> load_balancer(std::string_view arn) {
  std::array<std::string_view, 6> parts;
  for (std::string_view& part : parts) {
    const size_t end = &part == &parts.back() ? arn.size() : arn.find(':');
    if (end == std::string_view::npos) return std::nullopt;
    part = arn.substr(0, end);
    arn.remove_prefix(std::min(arn.size(), end + 1));
  }
  const auto& [scheme, partition, service, region, account, resource] = parts;
  const bool numbered =
      account.size() == kAccountDigits && account.find_first_not_of("0123456789") == account.npos;
  constexpr std::string_view kKind = "loadbalancer/app/";
  if (scheme != "arn" || !partition.starts_with("aws") || !is_plain(partition, "-") ||
      service != "elasticloadbalancing" || !is_plain(region, "-") || !numbered ||
      !resource.starts_with(kKind) || !is_plain(resource.substr(kKind.size()), "-/")) {
    return std::nullopt;
  }
  return LoadBalancer{partition, region};
}

Parsed<std::string> parse_load_balancer(std::string_view text, const KeyInfo& /*info*/) {
  if (load_balancer(text)) return Parsed<std::string>::ok(std::string(text));
  return Parsed<std::string>::bad(
      quote(text) + " is not the ARN of an Application Load Balancer",
      "write it as arn:aws:elasticloadbalancing:REGION:111122223333:loadbalancer/app/NAME/ID");
}

// Keys are published by region (domain A20), in other partitions than aws at places of their own.
void read_keys(const Section& section, const Files& files, AlbSessions& out) {
  if (section.has("keys_url")) {
    if (auto service = read_service(section, "keys_url", files)) out.keys = std::move(*service);
    return;
  }
  if (section.has("ca_file")) {
    section.problems().error(section.place_of("ca_file"), "goes with keys_url only", "remove it");
  }
  const auto first = out.signers.empty() ? std::nullopt : load_balancer(out.signers.front());
  if (!first) return;
  for (const std::string& signer : out.signers) {
    if (load_balancer(signer)->region == first->region) continue;
    section.problems().error(section.place_of("signers"), "load balancers of several regions",
                             "begin an authenticator of its own for each region");
    break;
  }
  if (first->partition != "aws") {
    section.problems().error(section.place_of("keys_url"),
                             "missing: it is known for the partition aws only",
                             "write where AWS publishes the keys of this region");
    return;
  }
  out.keys.url.host = "public-keys.auth.elb." + std::string(first->region) + ".amazonaws.com";
  out.keys.url.target = "/";
}

}  // namespace

AlbSessions read_alb(const Section& section, const Files& files) {
  AlbSessions out;
  out.place = section.place();
  out.issuer = section.value<std::string>("issuer", parse_text);
  out.realm = section.value<std::string>("realm", parse_text);
  if (out.realm.empty()) out.realm = out.issuer;
  out.client = section.value<std::string>("client", parse_text);
  for (Listed<std::string>& arn : section.values<std::string>("signers", parse_load_balancer)) {
    out.signers.push_back(std::move(arn.value));
  }
  read_keys(section, files, out);
  out.subject_claim = section.value<std::string>("subject_claim", parse_text);
  out.endpoint_claim = section.value<std::string>("endpoint_claim", parse_text);
  out.groups_claim = section.value<std::string>("groups_claim", parse_text);
  return out;
}

void check_load_balancers(const Config& config, Problems& problems) {
  const bool trusted = std::ranges::any_of(
      config.listeners, [](const Listener& l) { return !l.trusted_proxies.empty(); });
  if (trusted) return;
  for (const Endpoint& endpoint : config.endpoints) {
    for (const Authenticator& link : endpoint.sessions.authenticators) {
      const auto* alb = std::get_if<AlbSessions>(&link);
      if (alb == nullptr) continue;
      problems.error(alb->place, "no listener has trusted_proxies: anybody could be the balancer",
                     "list the load balancer's subnets in listeners[].trusted_proxies");
    }
  }
}

}  // namespace kg::config
