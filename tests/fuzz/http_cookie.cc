// One cookie out of a Cookie field: whatever the others hold, and never two ways to read it.
#include <string>
#include <vector>

#include "proxy/base/ascii.h"
#include "proxy/http/cookie.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

constexpr std::string_view kName = "session";

// The values that stand after "session=", read in the plainest way.
std::vector<std::string_view> plain_values(std::string_view text) {
  std::vector<std::string_view> values;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(';', at), text.size());
    const std::string_view pair = ascii::trim(text.substr(at, end - at));
    if (pair.starts_with("session=")) values.push_back(pair.substr(kName.size() + 1));
    at = end + 1;
  }
  return values;
}

}  // namespace

// Two fields, cut where the first line ends.
void run(std::string_view input) {
  http::RequestHead head;
  const size_t line = std::min(input.find('\n'), input.size());
  head.headers.push_back({"Cookie", input.substr(0, line)});
  std::vector<std::string_view> values = plain_values(input.substr(0, line));
  if (line < input.size()) {
    head.headers.push_back({"cookie", input.substr(line + 1)});
    for (const std::string_view value : plain_values(input.substr(line + 1))) {
      values.push_back(value);
    }
  }
  const Result<std::string_view> found = http::cookie(head, kName);
  if (!found) {
    KG_ASSERT(found.error().code == ErrorCode::kBadRequest && !values.empty());
    return;
  }
  KG_ASSERT(values.size() <= 1);
  KG_ASSERT(is_within(*found, input));
  KG_ASSERT(found->find_first_of("; \t\r\n\",\\") == std::string_view::npos);
  if (values.empty()) KG_ASSERT(found->empty());
  if (!found->empty()) KG_ASSERT(values[0].find(*found) != std::string_view::npos);
}

}  // namespace kg::fuzz
