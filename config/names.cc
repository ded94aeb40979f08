#include "config/names.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>

#include "config/problems.h"
#include "proxy/base/ascii.h"
#include "proxy/base/origin.h"

namespace kg::config {
namespace {

using Text = Parsed<std::string>;

constexpr size_t kLabelBytesMax = 63;      // RFC 1035 section 2.3.4
constexpr size_t kHostNameBytesMax = 253;  // the same, as text
constexpr size_t kIdBytesMax = 64;         // domain E3
constexpr size_t kPrefixBytesMax =
    256;                               // request lines have 16 KiB for prefix, operation and query
constexpr size_t kArnBytesMax = 2048;  // IAM's own bound

bool is_lower_alnum(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool has_upper(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

struct NumericHost {
  int family = 0;
  std::array<unsigned char, 16> bytes{};
  std::string text;  // canonical

  unsigned bits() const noexcept { return family == AF_INET ? 32 : 128; }
};

std::optional<NumericHost> numeric_host(const std::string& text) {
  NumericHost host;
  for (const int family : {AF_INET, AF_INET6}) {
    if (inet_pton(family, text.c_str(), host.bytes.data()) != 1) continue;
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (inet_ntop(family, host.bytes.data(), out.data(), out.size()) == nullptr) continue;
    host.family = family;
    host.text = out.data();
    return host;
  }
  return std::nullopt;
}

constexpr const char* kAddressRemedy =
    "write IP:port, such as 10.0.0.5:8888 or, with quotes, \"[::1]:8888\"";

bool is_label(std::string_view label) noexcept {
  return !label.empty() && label.size() <= kLabelBytesMax && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
           return is_lower_alnum(c) || c == '-';
         });
}

bool is_dns_name(std::string_view name) noexcept {
  if (name.size() > kHostNameBytesMax) return false;
  while (true) {
    const size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

Parsed<Address> parse_address(std::string_view text, const KeyInfo& /*info*/) {
  using Result = Parsed<Address>;
  const size_t colon = text.rfind(':');
  const bool bracketed = text.front() == '[';
  if (colon == std::string_view::npos || (bracketed && text.find(']') > colon))
    return Result::bad(quote(text) + " has no port", kAddressRemedy);
  std::string_view host = text.substr(0, colon);
  if (bracketed) {
    if (host.back() != ']') return Result::bad(quote(text) + " is no address", kAddressRemedy);
    host = host.substr(1, host.size() - 2);
  }
  const auto numeric = numeric_host(std::string(host));
  if (!numeric || bracketed != (numeric->family == AF_INET6))
    return Result::bad(quote(text) + " is not a numeric address", kAddressRemedy);
  const auto port = ascii::parse_decimal(text.substr(colon + 1));
  if (!port || *port > 65'535)
    return Result::bad(quote(text.substr(colon + 1)) + " is not a port",
                       "write a port from 0 to 65535");
  return Result::ok({numeric->text, static_cast<uint16_t>(*port)});
}

Parsed<Address> parse_pod_address(std::string_view text, const KeyInfo& info) {
  if (text.starts_with("service:")) {
    return Parsed<Address>::bad("a service name is not supported by this version",
                                "write the numeric IP:port of the only pod");
  }
  Parsed<Address> parsed = parse_address(text, info);
  if (parsed.value && parsed.value->port == 0)
    return Parsed<Address>::bad("port 0 cannot be connected to", "write a port from 1 to 65535");
  return parsed;
}

Parsed<Range> parse_range(std::string_view text, const KeyInfo& /*info*/) {
  using Result = Parsed<Range>;
  constexpr const char* kRemedy = "write an address or a range, such as 10.0.0.0/8";
  const size_t slash = text.find('/');
  auto numeric = numeric_host(std::string(text.substr(0, slash)));
  if (!numeric) return Result::bad(quote(text) + " is not an IP range", kRemedy);
  unsigned bits = numeric->bits();
  if (slash != std::string_view::npos) {
    const auto number = ascii::parse_decimal(text.substr(slash + 1));
    if (!number || *number > numeric->bits())
      return Result::bad(quote(text) + " has no valid prefix length", kRemedy);
    bits = static_cast<unsigned>(*number);
  }
  NumericHost base = *numeric;
  for (unsigned bit = bits; bit < numeric->bits(); ++bit)
    base.bytes[bit / 8] &= static_cast<unsigned char>(~(0x80U >> (bit % 8)));
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(base.family, base.bytes.data(), out.data(), out.size());
  const std::string canonical = std::string(out.data()) + "/" + std::to_string(bits);
  if (base.bytes != numeric->bytes) {
    return Result::bad(quote(text) + " has address bits after its prefix",
                       "write " + canonical + ", or a longer prefix");
  }
  return Result::ok({canonical});
}

Parsed<std::string> parse_route_host(std::string_view text, const KeyInfo& info) {
  const size_t star = text.rfind('*');
  if (star == std::string_view::npos) return parse_host(text, info);
  if (star != 0 || !text.starts_with("*.") || text.size() == 2) {
    return Text::bad(quote(text) + " has a wildcard that is not its first label",
                     "write *.example.com, which is one label before example.com");
  }
  Parsed<std::string> suffix = parse_host(text.substr(2), info);
  if (suffix.value) *suffix.value = std::string(text);
  return suffix;
}

Parsed<std::string> parse_host(std::string_view text, const KeyInfo& /*info*/) {
  if (text.find('/') != std::string_view::npos)
    return Text::bad(quote(text) + " is not a host name", "write the host without scheme and path");
  if (text.find(':') != std::string_view::npos)
    return Text::bad(quote(text) + " is not a host name",
                     "remove the port: ports in requests are ignored");
  if (has_upper(text))
    return Text::bad("upper-case letters in a host", "write " + ascii::lower(text));
  if (text.back() == '.')
    return Text::bad(quote(text) + " ends with a dot", "remove the dot: it is ignored in requests");
  if (!is_dns_name(text))
    return Text::bad(quote(text) + " is not a host name",
                     "write labels of a-z, 0-9 and - with dots between them");
  return Text::ok(std::string(text));
}

Parsed<std::string> parse_origin(std::string_view text, const KeyInfo& /*info*/) {
  if (split_origin(text)) return Text::ok(std::string(text));
  if (text.find('*') != std::string_view::npos)
    return Text::bad("a wildcard would let in pages that nobody knows", "list each origin");
  if (text.starts_with("http://"))
    return Text::bad(quote(text) + " is not secure", "serve the page by https and list that");
  return Text::bad(quote(text) + " is not an origin as browsers write it",
                   "write https://host or https://host:port, in lower case, without path and "
                   "without :443");
}

Parsed<std::string> parse_cookie_name(std::string_view text, const KeyInfo& /*info*/) {
  const bool token =
      text.size() <= kLabelBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
        return is_lower_alnum(ascii::to_lower(c)) || c == '_' || c == '-' || c == '.';
      });
  if (!token) {
    return Text::bad(quote(text) + " is not the name of a cookie",
                     "use 1 to 63 letters, digits, - _ and .");
  }
  if (text.starts_with("AWSELB") || text.starts_with("AWSALB"))
    return Text::bad(quote(text) + " is a cookie of the load balancer", "choose another name");
  return Text::ok(std::string(text));
}

Parsed<std::string> parse_request_path(std::string_view text, const KeyInfo& /*info*/) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '#' && c != '"' && c != '\\';
  });
  if (text.front() != '/' || !plain || text.size() > kPrefixBytesMax)
    return Text::bad(quote(text) + " is not a path", "write it as /api, at most 256 bytes");
  return Text::ok(std::string(text));
}

Parsed<std::string> parse_path_prefix(std::string_view text, const KeyInfo& /*info*/) {
  if (text == "/") return Text::bad("\"/\" is no prefix", "remove the key and give hosts instead");
  if (text.front() != '/')
    return Text::bad(quote(text) + " does not begin with a slash", "write /" + std::string(text));
  if (text.back() == '/')
    return Text::bad(quote(text) + " ends with a slash", "remove the slash at the end");
  if (has_upper(text)) {
    return Text::bad("upper-case letters in a prefix",
                     "write it in lower case: Jupyter clients lower-case the whole WebSocket URL");
  }
  if (text.size() > kPrefixBytesMax) return Text::bad("longer than 256 bytes", "shorten it");
  std::string_view rest = text;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view element = rest.substr(0, rest.find('/'));
    rest.remove_prefix(element.size());
    const bool plain = std::all_of(element.begin(), element.end(), [](char c) {
      return is_lower_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
    });
    if (element.empty() || element == "." || element == ".." || !plain)
      return Text::bad(quote(text) + " is not a plain path",
                       "use elements of a-z, 0-9, - . _ ~ with one slash before each");
  }
  const std::string_view first = text.substr(1, text.find('/', 1) - 1);
  if (first == "healthz" || first == "readyz")
    return Text::bad("the proxy itself answers " + quote(text), "choose another prefix");
  return Text::ok(std::string(text));
}

Parsed<std::string> parse_endpoint_id(std::string_view text, const KeyInfo& /*info*/) {
  if (text.size() > kIdBytesMax || !std::all_of(text.begin(), text.end(), is_lower_alnum))
    return Text::bad(quote(text) + " is not an endpoint id", "use 1 to 64 of a-z and 0-9");
  return Text::ok(std::string(text));
}

Parsed<std::string> parse_dns_label(std::string_view text, const KeyInfo& /*info*/) {
  if (!is_label(text))
    return Text::bad(quote(text) + " is not a namespace",
                     "use 1 to 63 of a-z, 0-9 and -, with no - at an end");
  return Text::ok(std::string(text));
}

Parsed<std::string> parse_dns_name(std::string_view text, const KeyInfo& /*info*/) {
  if (!is_dns_name(text))
    return Text::bad(quote(text) + " is not a pod name",
                     "use a-z, 0-9 and -, with dots between labels");
  return Text::ok(std::string(text));
}

Parsed<std::string> parse_role_arn(std::string_view text, const KeyInfo& /*info*/) {
  constexpr const char* kRemedy = "write it as arn:aws:iam::111122223333:role/NAME";
  Text bad = Text::bad(quote(text) + " is not the ARN of a role", kRemedy);
  constexpr std::string_view kService = ":iam::";
  constexpr std::string_view kResource = ":role/";
  constexpr size_t kAccountDigits = 12;
  const size_t service = text.find(kService);
  if (text.size() > kArnBytesMax || !text.starts_with("arn:aws") ||
      service == std::string_view::npos)
    return bad;
  const std::string_view partition = text.substr(4, service - 4);  // aws, aws-cn, aws-us-gov
  if (!is_label(partition)) return bad;
  const std::string_view rest = text.substr(service + kService.size());
  const std::string_view account = rest.substr(0, kAccountDigits);
  const bool numbered =
      account.size() == kAccountDigits &&
      std::all_of(account.begin(), account.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!numbered || !rest.substr(kAccountDigits).starts_with(kResource)) return bad;
  const std::string_view name = rest.substr(kAccountDigits + kResource.size());
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_lower_alnum(ascii::to_lower(c)) ||
           std::string_view("+=,.@_/-").find(c) != std::string_view::npos;
  });
  return plain ? Text::ok(std::string(text)) : bad;
}

std::string address_text(const Address& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace kg::config
