#include "routing/controller/ingress/parameters.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/nearest.h"
#include "proxy/base/ascii.h"
#include "routing/controller/ingress/annotations.h"
#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/rules.h"

namespace kg::ingress {
namespace {

constexpr std::string_view kAnything = "*";
constexpr std::string_view kNamespace = "{namespace}";
constexpr std::string_view kId = "{id}";
constexpr std::string_view kMax = "max-";
constexpr auto kOwnNames = std::to_array<std::string_view>(
    {"allowed-issuers", "allowed-jwks-hosts", "allowed-hosts", "max-quota-websockets",
     "max-quota-launches", "max-quota-kernels", "max-quota-requests-per-second",
     "max-quota-request-burst", "locked-annotations", "endpoint-id-prefix", "host-template",
     "hosts-across-namespaces"});

std::string replaced(std::string_view text, std::string_view name, std::string_view with) {
  std::string out(text);
  const size_t at = out.find(name);
  if (at != std::string::npos) out.replace(at, name.size(), with);
  return out;
}

bool has_suffix(std::string_view host, std::string_view suffix) {
  if (host == suffix) return true;
  return host.size() > suffix.size() && host.ends_with(suffix) &&
         host[host.size() - suffix.size() - 1] == '.';
}

class ParametersReader {
 public:
  ReadParameters read(const TextMap& data) {
    for (const auto& [key, value] : data) read_key(key, value);
    check_maxima();
    if (findings_.has_errors()) return {std::nullopt, findings_.all()};
    return {std::move(out_), findings_.all()};
  }

 private:
  void fail(std::string_view key, std::string problem) {
    findings_.error("InvalidParameter", std::string(key) + ": " + std::move(problem));
  }

  std::vector<std::string> words(std::string_view key, std::string_view value) {
    std::vector<std::string> out;
    std::string flat(value);
    std::ranges::replace(flat, '\n', ',');
    ascii::for_each_element(flat, [&](std::string_view word) { out.emplace_back(word); });
    if (out.empty()) fail(key, "is empty: give it a value or remove it");
    if (out.size() > kListEntriesMax) fail(key, "has more than 1000 entries");
    return out;
  }

  void read_hosts(std::string_view key, std::string_view value) {
    while (!value.empty()) {
      const size_t end = value.find('\n');
      const std::string_view line = ascii::trim(value.substr(0, end));
      value.remove_prefix(end == std::string_view::npos ? value.size() : end + 1);
      if (line.empty() || line.front() == '#') continue;
      const size_t colon = line.find(':');
      HostGrant grant;
      grant.space = ascii::trim(line.substr(0, colon));
      if (colon == std::string_view::npos || grant.space.empty()) {
        fail(key, quote(line) + " is no grant: write NAMESPACE: SUFFIX, SUFFIX in each line");
        continue;
      }
      ascii::for_each_element(line.substr(colon + 1), [&](std::string_view suffix) {
        const std::string tried = replaced(suffix, kNamespace, "namespace");
        if (suffix != kAnything && !parse_rule_host(tried).host)
          fail(key, quote(suffix) + " is no host suffix: write example.com, or * for any host");
        grant.suffixes.push_back(ascii::lower(suffix));
      });
      out_.allowed_hosts.push_back(std::move(grant));
    }
    if (out_.allowed_hosts.empty())
      fail(key, "is empty: grant a namespace something, or remove it");
  }

  void read_maximum(std::string_view key, std::string_view value) {
    const auto number = ascii::parse_decimal(ascii::trim(value));
    if (!number || *number == 0 || *number > 1'000'000) {
      fail(key, quote(value) + " is no maximum: write a number from 1 to 1000000");
      return;
    }
    out_.quota_max.emplace(key.substr(kMax.size()), static_cast<uint32_t>(*number));
  }

  // A class that contradicts itself must not be taken for the milder half of what it says.
  void check_maxima() {
    for (const auto& [name, most] : out_.quota_max) {
      const auto usual = out_.defaults.find(name);
      if (usual == out_.defaults.end()) continue;
      const auto number = ascii::parse_decimal(ascii::trim(usual->second));
      if (number && *number <= most) continue;
      fail(name, quote(usual->second) + " is more than " + std::string(kMax) + name +
                     ": change one of them");
    }
    const auto credentials = out_.defaults.find("gateway-credentials");
    if (credentials == out_.defaults.end() || credentials->second != "forward") return;
    if (!out_.quota_max.contains("quota-kernels")) return;
    findings_.warn("KernelsNotCounted",
                   "max-quota-kernels counts nothing where gateway-credentials is forward: the "
                   "gateway knows its callers, and counts for itself");
  }

  void read_key(const std::string& key, const std::string& value) {
    if (key == "allowed-issuers") {
      out_.allowed_issuers = words(key, value);
    } else if (key == "allowed-jwks-hosts") {
      for (const std::string& word : words(key, value))
        out_.allowed_jwks_hosts.push_back(ascii::lower(word));
    } else if (key == "allowed-hosts") {
      read_hosts(key, value);
    } else if (key == "endpoint-id-prefix") {
      out_.id_prefix = ascii::trim(value);
    } else if (key == "host-template") {
      out_.host_template = ascii::lower(ascii::trim(value));
      const bool is_host =
          parse_rule_host(replaced(out_.host_template, kId, "id")).host.has_value();
      if (!is_host || out_.host_template.find(kId) == std::string::npos)
        fail(key, quote(value) + " is no host with {id} in it: write {id}.example.com");
    } else if (key == "hosts-across-namespaces") {
      out_.hosts_across_namespaces = value == "allow";
      if (value != "allow" && value != "deny") fail(key, "write allow or deny");
    } else if (key == "locked-annotations") {
      out_.locked = words(key, value);
      for (const std::string& word : out_.locked) {
        if (find_annotation(word) == nullptr) fail(key, quote(word) + " is no annotation");
      }
    } else if (std::ranges::find(kOwnNames, key) != kOwnNames.end()) {
      read_maximum(key, value);
    } else {
      read_default(key, value);
    }
  }

  void read_default(const std::string& key, const std::string& value) {
    for (const AnnotationInfo& info : annotations()) {
      if (info.inline_name.empty() || info.inline_name != key) continue;
      out_.inline_text.emplace(info.name, value);
      return;
    }
    if (key == "endpoint-id" || key == "cordoned-pods") {
      fail(key, "is for one Ingress: remove it");
    } else if (find_annotation(key) != nullptr) {
      out_.defaults.emplace(key, value);
    } else {
      config::Nearest nearest(key);
      for (const std::string_view known : parameter_names()) nearest.offer(known);
      for (const AnnotationInfo& info : annotations()) nearest.offer(info.name);
      const std::string near(nearest.found());
      fail(quote(key), near.empty() ? "unknown: remove it" : "unknown: did you mean " + near + "?");
    }
  }

  Parameters out_;
  Findings findings_;
};

}  // namespace

bool Parameters::is_locked(std::string_view annotation) const {
  return std::ranges::find(locked, annotation) != locked.end();
}

bool Parameters::allows_host(std::string_view space, std::string_view host) const {
  if (allowed_hosts.empty()) return true;
  const auto own = std::ranges::find(allowed_hosts, space, &HostGrant::space);
  const auto grant = own != allowed_hosts.end()
                         ? own
                         : std::ranges::find(allowed_hosts, kAnything, &HostGrant::space);
  if (grant == allowed_hosts.end()) return false;
  if (host.starts_with("*.")) host.remove_prefix(2);
  return std::ranges::any_of(grant->suffixes, [&](const std::string& suffix) {
    return suffix == kAnything ||
           (!host.empty() && has_suffix(host, replaced(suffix, kNamespace, space)));
  });
}

std::string Parameters::host_of(const std::string& id) const {
  return replaced(host_template, kId, id);
}

ReadParameters read_parameters(const TextMap& data) { return ParametersReader().read(data); }

std::vector<std::string_view> parameter_names() {
  std::vector<std::string_view> out(kOwnNames.begin(), kOwnNames.end());
  for (const AnnotationInfo& info : annotations()) {
    if (!info.inline_name.empty()) out.push_back(info.inline_name);
  }
  return out;
}

}  // namespace kg::ingress
