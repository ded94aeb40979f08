// Authenticator: one way to tell who a request comes from; a link of an endpoint's chain
// (auth/sessions.h).
//
// Owner:  auth::Sessions, inside the immutable routes. Thread: any; judge() takes no lock that
//         another thread holds for long.
// Errors: kUnauthorized (nothing to see), kSessionExpired, kSessionUnknown (nobody could be asked:
//         not the client's fault). `detail` tells the operator which check failed, never a value.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "auth/principal.h"
#include "proxy/base/error.h"
#include "proxy/base/peer_certificate.h"

namespace kg::auth {

// All that one request shows, unverified and borrowed from it.
struct Evidence {
  std::string_view token;      // the session token, wherever it stood
  std::string_view oidc_data;  // x-amzn-oidc-data (domain A18), from trusted proxies only
  const PeerCertificate* certificate = nullptr;  // verified by the TLS handshake

  bool has(Proof proof) const noexcept;
};

struct Verdict {
  enum class Kind : uint8_t {
    kNotMine,    // another issuer's, or another kind of token: the next link may know it
    kRefused,    // mine, and not good: the chain ends
    kPrincipal,  // mine and good
    kAsk,        // only ask() can tell
  };
  Kind kind = Kind::kNotMine;
  Principal principal{};
  Error error{ErrorCode::kUnauthorized, "no authenticator knows this credential", 0};

  static Verdict accepts(Principal who) { return {Kind::kPrincipal, std::move(who), {}}; }
  static Verdict refuses(const Error& why) { return {Kind::kRefused, {}, why}; }
  static Verdict not_mine(const char* detail) {
    return {Kind::kNotMine, {}, {ErrorCode::kUnauthorized, detail, 0}};
  }
  static Verdict ask() { return {Kind::kAsk, {}, {}}; }
};

class Authenticator {
 public:
  // On any thread, once. Never kAsk.
  using Answer = std::function<void(Verdict)>;

  Authenticator() = default;
  Authenticator(const Authenticator&) = delete;
  Authenticator& operator=(const Authenticator&) = delete;
  virtual ~Authenticator() = default;

  virtual Proof proof() const noexcept = 0;
  // Without waiting. `evidence` has proof(); `now`: seconds since the epoch.
  virtual Verdict judge(const Evidence& evidence, int64_t now) const = 0;
  // After kAsk: finds out over the network. Copies what it needs of `evidence`.
  virtual void ask(const Evidence& evidence, int64_t now, const Answer& answer) const;
  // Changes whenever something that was believed is so no more: a signing key was withdrawn. What
  // was verified under another generation has to be verified again.
  virtual uint64_t generation() const noexcept { return 0; }
};

}  // namespace kg::auth
