#include "routing/controller/ingress/policy.h"

#include <algorithm>
#include <string>
#include <vector>

#include "config/schema.h"
#include "proxy/base/ascii.h"
#include "proxy/base/url.h"
#include "routing/controller/ingress/annotations.h"
#include "routing/controller/ingress/fetch_rules.h"

namespace kg::ingress {
namespace {

constexpr std::string_view kKernels = "quota-kernels";
constexpr std::string_view kRate = "quota-requests-per-second";
constexpr std::string_view kBurst = "quota-request-burst";

class Policy {
 public:
  Policy(const Values& values, const Parameters& parameters, Findings& findings)
      : values_(values), parameters_(parameters), findings_(findings) {}

  void check_sessions() {
    check_issuer();
    check_keys_url();
    // Whoever holds the keys is the issuer, whatever name he gives himself.
    if (parameters_.allowed_issuers.empty()) return;
    for (const char* name : {"session-keys-secret", "sessions-by-gateway"}) {
      if (!values_.has_own(name)) continue;
      fail("IssuerNotAllowed", name,
           "the class lists the issuers that count: remove it, and let their keys be fetched");
    }
  }

  void check_quota(std::string_view name, uint32_t most, Json& keys) {
    const AnnotationInfo* info = find_annotation(name);
    if (name == kKernels && forwards(keys)) return check_forward(most);
    const auto value = values_.find(name);
    if (value && value->is_own) return check_own_quota(name, *value, most);
    if (value) return;
    const config::KeyInfo* key = config::find_key("endpoints[]." + std::string(info->path));
    const auto usual = key == nullptr ? std::nullopt : ascii::parse_decimal(key->fallback);
    if (usual && *usual <= most) return;
    const std::string leaf(info->path.substr(info->path.rfind('.') + 1));
    keys["quotas"][leaf] = std::to_string(most);
  }

  // Of the rate, unless it has a maximum of its own: a burst is what the rate allows at once.
  void check_burst(Json& keys) {
    auto most = parameters_.quota_max.find(kBurst);
    if (most == parameters_.quota_max.end()) most = parameters_.quota_max.find(kRate);
    if (most == parameters_.quota_max.end()) return;
    const auto value = values_.find(kBurst);
    if (value && value->is_own) return check_own_quota(kBurst, *value, most->second);
    const auto rate =
        ascii::parse_decimal(text(member(member(keys, "quotas"), "requests_per_second")));
    if (!value && rate && *rate > most->second)
      keys["quotas"]["request_burst"] = std::to_string(most->second);
  }

 private:
  void check_own_quota(std::string_view name, const Value& value, uint32_t most) {
    const auto number = ascii::parse_decimal(ascii::trim(value.text));
    if (number && *number <= most) return;
    // What is no number at all is for the schema to say.
    if (!number && ascii::trim(value.text) != "none") return;
    fail("QuotaNotAllowed", name,
         quote(value.text) + " is more than the class allows: write at most " +
             std::to_string(most));
  }

  // No list of kernels counts everybody's there, so nobody escapes a maximum into it by himself.
  void check_forward(uint32_t most) {
    const auto credentials = values_.find("gateway-credentials");
    if (!credentials || !credentials->is_own) return;  // the class knows what it gives up
    const auto usual = parameters_.defaults.find("gateway-credentials");
    if (usual != parameters_.defaults.end() && usual->second == credentials->text) return;
    fail("QuotaNotAllowed", "gateway-credentials",
         "forward leaves nothing to count kernels with, and the class allows " +
             std::to_string(most) + ": write own");
  }

  void fail(const char* reason, std::string_view name, const std::string& problem) {
    findings_.error(reason, values_.subject(name) + ": " + problem);
  }

  void check_issuer() {
    const auto issuer = values_.find("issuer");
    if (!issuer || !issuer->is_own || parameters_.allowed_issuers.empty()) return;
    const std::vector<std::string>& allowed = parameters_.allowed_issuers;
    const auto usual = parameters_.defaults.find("issuer");
    if (std::ranges::find(allowed, issuer->text) != allowed.end()) return;
    if (usual != parameters_.defaults.end() && usual->second == issuer->text) return;
    fail("IssuerNotAllowed", "issuer",
         quote(issuer->text) + " is none of those that the class allows: take one of them");
  }

  void check_keys_url() {
    const auto written = values_.find("jwks-url");
    if (!written) return;
    const ParsedUrl parsed = parse_url(ascii::trim(written->text));
    if (!parsed.url) return;  // the schema says what is wrong
    if (const std::string fault = fetch_fault(*parsed.url); !fault.empty()) {
      fail("FetchNotAllowed", "jwks-url", quote(written->text) + " " + fault);
    } else if (written->is_own && !allows_keys_of(parsed.url->host)) {
      fail("FetchNotAllowed", "jwks-url",
           quote(parsed.url->host) + " is no host that the class allows: take the issuer's own");
    }
  }

  bool is_of_class(const std::string& host) const {
    const auto usual = parameters_.defaults.find("jwks-url");
    if (usual == parameters_.defaults.end()) return false;
    const ParsedUrl parsed = parse_url(ascii::trim(usual->second));
    return parsed.url && parsed.url->host == host;
  }

  // Without a list of hosts, those of the issuers that are listed: their keys are nowhere else.
  bool allows_keys_of(const std::string& host) const {
    if (is_of_class(host)) return true;
    const std::vector<std::string>& hosts = parameters_.allowed_jwks_hosts;
    if (!hosts.empty()) return std::ranges::find(hosts, host) != hosts.end();
    const std::vector<std::string>& issuers = parameters_.allowed_issuers;
    return issuers.empty() || std::ranges::any_of(issuers, [&](const std::string& issuer) {
             const ParsedUrl parsed = parse_url(issuer);
             return parsed.url && parsed.url->host == host;
           });
  }

  const Values& values_;
  const Parameters& parameters_;
  Findings& findings_;
};

}  // namespace

bool forwards(const Json& keys) {
  return text(member(keys, "gateway"), "credentials") == "forward";
}

void check_policy(const Values& values, const Parameters& parameters, Json& keys,
                  Findings& findings) {
  Policy policy(values, parameters, findings);
  policy.check_sessions();
  for (const auto& [name, most] : parameters.quota_max) {
    if (name != kBurst) policy.check_quota(name, most, keys);
  }
  policy.check_burst(keys);
}

}  // namespace kg::ingress
