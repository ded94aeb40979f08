// Target: the server under load, from a URL, and the TLS context to reach it with.
//
// Owner:  main; everything else borrows it. Thread: any, once made.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/outcome.h"
#include "proxy/base/owned.h"
#include "proxy/base/secret.h"

namespace kg::bench {

struct Target {
  bool tls = true;
  std::string host;  // without brackets for IPv6
  uint16_t port = 0;
  std::string prefix;     // "" or "/a/b", no slash at the end
  std::string authority;  // Host value: host, and the port unless it is the scheme's own
  Owned<SSL_CTX, SSL_CTX_free> context;
  Secret token;  // sent as "Authorization: token ..."; empty sends none
};

struct Trust {
  std::string ca_file;    // "" trusts the system's authorities
  bool insecure = false;  // accept any certificate
};

// `url` is http[s]://host[:port][/prefix], without user, query and fragment.
Outcome<Target> make_target(std::string_view url, const Trust& trust);

// Sends the target's name in the handshake (SNI) and wants a certificate for it, unless the context
// accepts any.
void expect_server(const Target& target, SSL& tls);

// The file's content without surrounding white space. Failure if it is unreadable, empty, or holds
// anything but visible ASCII.
Outcome<Secret> read_token(const std::string& path);

}  // namespace kg::bench
