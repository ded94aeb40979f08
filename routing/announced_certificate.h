// A certificate as the feed carries it, read and checked: what handshakes for its hosts present.
//
// Any thread. JSON, schema feed::kSchema; members that are not known are ignored:
//   {"schema":1, "kind":"certificate", "namespace", "hosts": ["a.example.com", "*.b.example.com"],
//    "chain": PEM, leaf first, "key": PEM}
// Limits: kAnnouncedBytesMax, kAnnouncedHostsMax.
// Errors: a sentence that says what is wrong, without a byte of the key.
#pragma once

#include <string>
#include <string_view>

#include "proxy/tls/certificate_table.h"

namespace kg::routing {

inline constexpr size_t kAnnouncedHostsMax = 1'000;  // of one certificate
inline constexpr std::string_view kCertificateKey = "certificate/";

struct ReadCertificate {
  tls::AnnouncedCertificateRef certificate;  // null with a problem
  std::string problem;
};
// `key`: of the item.
ReadCertificate read_announced_certificate(std::string_view key, std::string_view payload);

}  // namespace kg::routing
