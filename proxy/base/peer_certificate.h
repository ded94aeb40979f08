// PeerCertificate: what a client's certificate says, once TLS has verified it. A value, computed
// once per connection: also for a resumed one, whose ticket carries the certificate.
#pragma once

#include <cstdint>
#include <string>

namespace kg {

// Names that identify somebody. Each is "" unless the certificate holds exactly one of its kind, of
// at most 256 bytes of printable ASCII: of two, neither says who it is.
struct PeerCertificate {
  std::string fingerprint;  // SHA-256 of its DER, hexadecimal
  std::string subject;      // RFC 4514, for logs only, cut to kClientSubjectBytesMax
  std::string common_name;  // of the subject; may hold spaces inside
  std::string uri;          // of the subjectAltName (RFC 5280 section 4.2.1.6), as the next two
  std::string email;
  std::string dns;
  int64_t not_after = 0;  // seconds since the epoch
};

}  // namespace kg
