// URLs of services: what is read is regenerated, and reads the same again.
#include "proxy/base/url.h"

#include "proxy/base/limits.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const ParsedUrl parsed = parse_url(input);
  KG_ASSERT(parsed.url.has_value() == (*parsed.fault == '\0'));
  if (!parsed.url) return;
  const Url& url = *parsed.url;
  const std::string text = url.text();
  for (const char c : text) KG_ASSERT(c > ' ' && c < 0x7f && c != '\\' && c != '#');
  KG_ASSERT(!url.host.empty() && url.host.find('@') == std::string::npos);
  KG_ASSERT(url.port != 0 && url.target.starts_with('/'));
  KG_ASSERT(text.starts_with(url.secure ? "https://" : "http://"));
  if (text.size() > limits::kUrlBytesMax) return;  // the port was not written, or the slash
  const ParsedUrl again = parse_url(text);
  KG_ASSERT(again.url && *again.url == url);
}

}  // namespace kg::fuzz
