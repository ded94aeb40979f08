// Credentials: what a request shows of its sender, taken out of its head and its connection.
// Nothing is verified here.
//
// A session token may stand in four places. A script or program puts it into Authorization, ?token=
// or a subprotocol on purpose: where several of them hold one, they must agree, or two readers of
// this request would see two senders. Browsers add the cookie by themselves, so it counts only
// where none of the others does. What is ambient in this way can be abused by foreign pages, which
// is why the place is remembered (origin.h).
#pragma once

#include <string_view>

#include "auth/authenticator.h"
#include "proxy/base/peer_certificate.h"
#include "proxy/base/result.h"
#include "proxy/base/secret.h"
#include "proxy/http/message.h"

namespace kg::exchange {

enum class CredentialPlace : uint8_t {
  kNone,
  kAuthorization,
  kQuery,
  kSubprotocol,
  kCookie,
  kLoadBalancer,
  kCertificate,
};

// The browser adds it by itself, whichever page asks.
constexpr bool is_ambient(CredentialPlace place) noexcept {
  return place == CredentialPlace::kCookie || place == CredentialPlace::kLoadBalancer ||
         place == CredentialPlace::kCertificate;
}

// What is known of a request beside its head.
struct Sender {
  std::string_view cookie;    // the name of the session cookie; "" for none
  bool peer_trusted = false;  // what a load balancer says counts (domain A33)
  const PeerCertificate* certificate = nullptr;
};

class Credentials {
 public:
  // Authorization: token|Bearer (any letter case, domain G9, G10), ?token=, the subprotocol of a
  // WebSocket (G27), the cookie. kUnauthorized for another scheme, or for a subprotocol that does
  // not decode; kBadRequest for a place that is filled twice and for tokens that differ. None at
  // all is no error here. Borrows from both arguments.
  static Result<Credentials> of(const http::RequestHead& head, const Sender& sender = {});

  // Borrows from this and from what this borrows from.
  auth::Evidence evidence() const noexcept;
  // Where the credential of that kind stood.
  CredentialPlace place_of(auth::Proof proof) const noexcept;

 private:
  Result<void> take_explicit(const http::RequestHead& head);
  Result<void> add(CredentialPlace place, Secret text);

  std::string_view token() const noexcept { return field_.empty() ? decoded_.reveal() : field_; }

  std::string_view field_;                          // part of the head
  Secret decoded_;                                  // what stood in the head encoded
  CredentialPlace place_ = CredentialPlace::kNone;  // of the token
  std::string_view oidc_data_;
  const PeerCertificate* certificate_ = nullptr;
};

}  // namespace kg::exchange
