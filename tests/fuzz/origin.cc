// Whose page sent a request: one spelling for each origin, and only the host's own or a listed one
// passes.
#include "proxy/base/origin.h"

#include <string>

#include "proxy/base/ascii.h"
#include "proxy/exchange/origin.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

// The Origin, then on a second line the Host.
void run(std::string_view input) {
  const size_t line = std::min(input.find('\n'), input.size());
  const std::string_view origin = input.substr(0, line);
  http::RequestHead head;
  if (line < input.size()) head.authority = input.substr(line + 1);
  head.headers.push_back({"Origin", origin});
  const auto parts = split_origin(origin);
  if (parts) {
    std::string again = "https://" + std::string(parts->host);
    if (parts->port != kHttpsPort) again += ":" + std::to_string(parts->port);
    KG_ASSERT(again == origin);
    KG_ASSERT(ascii::lower(parts->host) == parts->host);
    KG_ASSERT(parts->host.find_first_of("/@#?, ") == std::string_view::npos);
  }
  const exchange::AllowedOrigins listed{"https://lab.example.com", "https://dev.example.com:8888"};
  using exchange::PageOrigin;
  switch (exchange::page_origin(head, listed)) {
    case PageOrigin::kNone:
      KG_ASSERT(false);  // there is one
      break;
    case PageOrigin::kOwn: {
      KG_ASSERT(parts);
      const std::string host = ascii::lower(head.authority);
      KG_ASSERT(host.starts_with(parts->host));
      break;
    }
    case PageOrigin::kListed:
      KG_ASSERT(origin == listed[0] || origin == listed[1]);
      break;
    case PageOrigin::kForeign:
      KG_ASSERT(origin != listed[0] && origin != listed[1]);
      break;
  }
}

}  // namespace kg::fuzz
