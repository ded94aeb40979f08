#include "routing/controller/ingress/rules.h"

#include <algorithm>

#include "config/names.h"
#include "proxy/base/ascii.h"
#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/object.h"

namespace kg::ingress {
namespace {

constexpr std::string_view kWildcard = "*.";

bool is_numeric(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return !last.empty() && last.find_first_not_of("0123456789") == std::string_view::npos;
}

// What the proxy would refuse in a request, or understand in another way, has no place in a rule.
bool is_plain_element(std::string_view element) {
  static constexpr std::string_view kMore = "-._~!$&'()*+,=:@";
  return !element.empty() && element != "." && element != ".." &&
         std::ranges::all_of(element, [](char c) {
           const char lower = ascii::to_lower(c);
           return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
                  kMore.find(c) != std::string_view::npos;
         });
}

const char* path_fault(std::string_view path) {
  if (path.size() > kPathBytesMax) return "is longer than 256 bytes";
  std::string_view rest = path;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view element = rest.substr(0, rest.find('/'));
    rest.remove_prefix(element.size());
    if (element.empty() && rest.empty()) break;  // a slash at the end
    if (!is_plain_element(element)) {
      return "is not a plain path: write elements of letters, digits and - . _ ~ with one slash "
             "before each";
    }
  }
  const std::string first = first_element(path);
  if (first == "/healthz" || first == "/readyz") return "is answered by the proxy itself";
  return nullptr;
}

}  // namespace

HostText parse_rule_host(std::string_view text) {
  if (text.empty()) return {"", ""};
  const std::string lower = ascii::lower(text);
  std::string_view name = lower;
  if (name.starts_with(kWildcard)) name.remove_prefix(kWildcard.size());
  static constexpr config::KeyInfo kNoKey{};
  if (name.empty()) return {std::nullopt, "is not a host: write a name behind \"*.\""};
  if (name.find('*') != std::string_view::npos) {
    return {std::nullopt,
            "is not a host: a wildcard is the whole first label, as in *.example.com"};
  }
  config::Parsed<std::string> parsed = config::parse_host(name, kNoKey);
  if (!parsed.value) return {std::nullopt, "is not a host: " + parsed.remedy};
  if (is_numeric(name)) return {std::nullopt, "is an address: write a host name, or no host"};
  return {lower, ""};
}

PathText parse_rule_path(std::string_view text, std::string_view type) {
  PathText out;
  if (type == "Exact") {
    out.type = PathType::kExact;
  } else if (type == "ImplementationSpecific") {
    if (text.empty()) text = "/";
    if (text.ends_with("/*")) text.remove_suffix(1);
  } else if (type != "Prefix") {
    out.problem = "has no pathType: write Exact or Prefix";
    return out;
  }
  if (text.empty() || text.front() != '/') {
    out.problem = "does not begin with a slash";
    return out;
  }
  if (const char* fault = path_fault(text)) {
    out.problem = fault;
    return out;
  }
  if (out.type == PathType::kPrefix && text.size() > 1 && text.back() == '/') text.remove_suffix(1);
  out.path = std::string(text);
  return out;
}

std::string wildcard_of(std::string_view host) {
  const size_t dot = host.find('.');
  if (dot == std::string_view::npos || host.starts_with(kWildcard)) return "";
  return "*" + std::string(host.substr(dot));
}

bool covers(std::string_view name, std::string_view host) {
  return name == host || (name.starts_with(kWildcard) && wildcard_of(host) == name);
}

std::string first_element(std::string_view path) {
  const size_t end = path.find('/', 1);
  return std::string(path.substr(0, end));
}

}  // namespace kg::ingress
