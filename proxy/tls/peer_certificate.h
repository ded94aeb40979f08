// What a verified certificate of a client says of it.
#pragma once

#include "proxy/base/peer_certificate.h"

struct x509_st;

namespace kg::tls {

PeerCertificate read_peer_certificate(const x509_st* certificate);

}  // namespace kg::tls
