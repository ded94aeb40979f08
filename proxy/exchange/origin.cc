#include "proxy/exchange/origin.h"

#include <algorithm>

#include "proxy/base/ascii.h"
#include "proxy/base/origin.h"
#include "routing/route_snapshot.h"

namespace kg::exchange {
namespace {

// "" for none, what is_origin() refuses for two.
std::string_view only_origin(const http::RequestHead& head) noexcept {
  std::string_view found;
  for (const http::Header& field : head.headers) {
    if (!ascii::equals_ignore_case(field.name, "origin")) continue;
    if (!found.empty()) return "two";
    found = field.value.empty() ? std::string_view("empty") : field.value;
  }
  return found;
}

// The port of an authority, 443 without one.
uint64_t port_of(std::string_view authority) noexcept {
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos || colon + 1 == authority.size()) return kHttpsPort;
  return ascii::parse_decimal(authority.substr(colon + 1)).value_or(0);
}

bool is_own(const OriginParts& origin, std::string_view authority) {
  std::string storage;
  return origin.host == routing::normalised_host(authority, storage) &&
         origin.port == port_of(authority);
}

}  // namespace

PageOrigin page_origin(const http::RequestHead& head, const AllowedOrigins& allowed) {
  const std::string_view text = only_origin(head);
  if (text.empty()) {
    const std::string_view site = head.find("sec-fetch-site");
    const bool another = site == "cross-site" || site == "same-site";
    return another ? PageOrigin::kForeign : PageOrigin::kNone;
  }
  const auto origin = split_origin(text);
  if (!origin) return PageOrigin::kForeign;
  if (is_own(*origin, head.authority)) return PageOrigin::kOwn;
  const bool listed = std::find(allowed.begin(), allowed.end(), text) != allowed.end();
  return listed ? PageOrigin::kListed : PageOrigin::kForeign;
}

bool acts(const http::RequestHead& head) noexcept {
  return head.upgrade_websocket ||
         (head.method != http::Method::kGet && head.method != http::Method::kHead &&
          head.method != http::Method::kOptions);
}

bool is_preflight(const http::RequestHead& head) noexcept {
  return head.method == http::Method::kOptions && !head.find("origin").empty() &&
         !head.find("access-control-request-method").empty();
}

}  // namespace kg::exchange
