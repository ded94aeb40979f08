#include "bench/load/target.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "proxy/base/ascii.h"

namespace kg::bench {

namespace {

// Splits "host[:port]" or "[v6][:port]"; false if it is neither.
bool split_authority(std::string_view text, uint16_t default_port, Target& target) {
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    target.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ':') return false;
    port = text.empty() ? text : text.substr(1);
  } else {
    const size_t colon = text.find(':');
    target.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  target.port = default_port;
  if (!port.empty()) {
    const auto number = ascii::parse_decimal(port);
    if (!number || *number == 0 || *number > 65535) return false;
    target.port = static_cast<uint16_t>(*number);
  }
  return !target.host.empty();
}

Outcome<Owned<SSL_CTX, SSL_CTX_free>> make_context(const Trust& trust) {
  Owned<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  if (!context) return Failure{"tls", "no TLS context"};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // A peer that closes without a TLS alert ends the stream like one that says goodbye: the
  // framing above tells whether anything is missing.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (trust.insecure) return context;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const bool loaded =
      trust.ca_file.empty()
          ? SSL_CTX_set_default_verify_paths(context.get()) == 1
          : SSL_CTX_load_verify_locations(context.get(), trust.ca_file.c_str(), nullptr) == 1;
  if (!loaded) return Failure{"tls", "cannot read certificates of " + trust.ca_file};
  return context;
}

}  // namespace

Outcome<Target> make_target(std::string_view url, const Trust& trust) {
  Target target;
  const std::string given(url);
  if (ascii::starts_with_ignore_case(url, "https://")) {
    url.remove_prefix(8);
  } else if (ascii::starts_with_ignore_case(url, "http://")) {
    url.remove_prefix(7);
    target.tls = false;
  } else {
    return Failure{"url", given + " does not start with https:// or http://"};
  }
  if (url.find_first_of("?#@ ") != std::string_view::npos) {
    return Failure{"url", given + " may hold only a host, a port and a path"};
  }
  const size_t slash = url.find('/');
  const std::string_view authority = url.substr(0, slash);
  if (slash != std::string_view::npos) target.prefix = url.substr(slash);
  while (target.prefix.ends_with('/')) target.prefix.pop_back();
  if (!split_authority(authority, target.tls ? 443 : 80, target)) {
    return Failure{"url", given + " names no host or an invalid port"};
  }
  target.authority = authority;
  if (target.tls) {
    auto context = make_context(trust);
    if (!context) return context.failure();
    target.context = std::move(*context);
  }
  return target;
}

void expect_server(const Target& target, SSL& tls) {
  unsigned char numeric[sizeof(in6_addr)];
  std::string name = target.host;
  if (inet_pton(AF_INET, name.c_str(), numeric) == 1 ||
      inet_pton(AF_INET6, name.c_str(), numeric) == 1) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&tls), name.c_str());
    return;  // SNI carries names only (RFC 6066 section 3)
  }
  // What SSL_set_tlsext_host_name is a macro for.
  SSL_ctrl(&tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  SSL_set1_host(&tls, name.c_str());
}

Outcome<Secret> read_token(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Failure{"token", "cannot read " + path};
  std::ostringstream content;
  content << file.rdbuf();
  const std::string text = content.str();
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return Failure{"token", path + " is empty"};
  const size_t end = text.find_last_not_of(" \t\r\n");
  std::string token = text.substr(begin, end - begin + 1);
  if (std::any_of(token.begin(), token.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return Failure{"token", path + " holds more than one word of ASCII"};
  }
  return Secret(std::move(token));
}

}  // namespace kg::bench
