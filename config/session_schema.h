// The rows of config/schema.cc about sessions and the authenticators that need no service, in its
// form and order.
#pragma once

#include <array>

#include "config/schema.h"

namespace kg::config {

inline constexpr auto kSessionKeys = std::to_array<KeyInfo>({
    {"endpoints[].sessions", "map", "", "required", "Who is let in."},
    {"endpoints[].sessions.jwt", "map", "", "(none)",
     "The first authenticator, with the keys of `authenticators[].jwt`: short for the usual case."},
    {"endpoints[].sessions.cookie", "cookie name", "63 bytes", "(none)",
     "A cookie that may hold a session token, for pages whose scripts cannot. Requests that bring "
     "a "
     "token elsewhere are judged by that one. A name that begins with `__Host-` cannot be set by "
     "neighbours under the same domain."},
    {"endpoints[].sessions.on_expiry", "word", "close, keep", "close",
     "What becomes of an open WebSocket when its session has expired: `close` it with 1008, or "
     "`keep` it, logged and counted. Either way its user is told before, and a fresher session of "
     "the same user, shown by any request, lets it live on."},
    {"endpoints[].sessions.expiry_grace", "duration", "0s to 12h", "5m",
     "So long after the expiry, so that a running cell may end and a token be renewed."},
    {"endpoints[].sessions.max_lifetime", "duration or `none`", "1s to 720h", "(none)",
     "Of a WebSocket, whatever its session; then it closes with 1012. None by default: notebooks "
     "stay open for days."},
    {"endpoints[].sessions.authenticators", "list of maps", "1 to 8 entries", "(only jwt)",
     "Further ways to tell who a request comes from, in order: the first one that recognises its "
     "credential decides. Each entry has one key, which says of which kind it is."},
    {"endpoints[].sessions.authenticators[].jwt", "map", "", "(one of these)",
     "Sessions are signed tokens (JWT)."},
    {"endpoints[].sessions.authenticators[].jwt.realm", "text", "", "(the issuer)",
     "The name of this population of users: equal subjects of two realms are two people."},
    {"endpoints[].sessions.authenticators[].jwt.issuer", "text", "", "required",
     "The `iss` claim must equal it."},
    {"endpoints[].sessions.authenticators[].jwt.audience", "text", "", "required",
     "The `aud` claim must be or hold it, so that tokens for other services do not work here."},
    {"endpoints[].sessions.authenticators[].jwt.keys_file", "file", "JWK Set or PEM", "(keys_url)",
     "The public keys that may sign sessions. Either this or `keys_url`."},
    {"endpoints[].sessions.authenticators[].jwt.keys_url", "https URL", "2048 bytes", "(keys_file)",
     "Where the issuer publishes its JWK Set. Fetched at start, ahead of its end, and when a token "
     "names a key that is not known, at most once in 10 s. Redirects are not followed."},
    {"endpoints[].sessions.authenticators[].jwt.ca_file", "file", "PEM", "(the system's CAs)",
     "The CAs that may have issued the certificate of `keys_url`'s host."},
    {"endpoints[].sessions.authenticators[].jwt.keys_refresh", "duration", "1s to 24h",
     "(Cache-Control's max-age)",
     "How often keys are fetched, and with it how long a withdrawn one still counts. Else four "
     "fifths of max-age, taken between 60 s and an hour; 5 minutes without it."},
    {"endpoints[].sessions.authenticators[].jwt.keys_stale", "duration", "1s to 168h", "12h",
     "How long the last good keys serve on while the issuer does not answer; then its sessions get "
     "503. As long as a session may live."},
    {"endpoints[].sessions.authenticators[].jwt.algorithms", "list of words", "1 to 5 entries",
     "(those that the keys name)",
     "Narrows down what may sign, out of ES256, ES384, RS256, PS256 and EdDSA. `none` and the HMAC "
     "family are never accepted."},
    {"endpoints[].sessions.authenticators[].jwt.subject_claim", "text", "", "sub",
     "Which claim is the user. Take one that is never given to somebody else: `oid` of Entra, "
     "not `email`."},
    {"endpoints[].sessions.authenticators[].jwt.endpoint_claim", "text", "", "endpoint",
     "Which claim names the endpoint, for issuers that may not use the usual name."},
    {"endpoints[].sessions.authenticators[].jwt.groups_claim", "text", "", "groups",
     "Which claim lists the user's groups: `cognito:groups` of Cognito, `roles` of Entra."},
    {"endpoints[].sessions.authenticators[].jwt.virtual_cluster_claim", "text", "",
     "(virtual_cluster, in tokens that have it)",
     "Which claim names the endpoint's virtual cluster. Of another one no token counts; with this "
     "key none that names the endpoint counts without it either."},
    {"endpoints[].sessions.authenticators[].opaque", "map", "", "(one of these)",
     "Sessions are tokens that mean nothing in themselves; a file says whose they are."},
    {"endpoints[].sessions.authenticators[].opaque.realm", "text", "", "required",
     "The name of this population of users."},
    {"endpoints[].sessions.authenticators[].opaque.file", "file", "JSON lines", "required",
     "One token a line, as its SHA-256 and claims (`auth/README.md`). At most 100,000 lines; "
     "changes are seen within some seconds."},
    {"endpoints[].sessions.authenticators[].client_certificate", "map", "", "(one of these)",
     "Sessions are client certificates that a listener asked for and verified "
     "(`tls.client_certificates`). They name no endpoint."},
    {"endpoints[].sessions.authenticators[].client_certificate.realm", "text", "", "required",
     "The name of this population of users."},
    {"endpoints[].sessions.authenticators[].client_certificate.subject", "word",
     "cn, san_uri, san_email, san_dns", "required",
     "Which name of the certificate is the user: it must hold exactly one of that kind, in "
     "printable ASCII."},
    {"endpoints[].sessions.sharing", "word", "owner, endpoint, group:NAME", "owner",
     "Who may see and use a kernel that is created from now on: who created it, every session of "
     "the endpoint, or the members of a group; then only members may create one. Fixed in the "
     "kernel's id: a change does not touch kernels that run."},
    {"endpoints[].sessions.authenticators[].alb", "map", "", "(one of these)",
     "An AWS load balancer that logs users in (`authenticate-oidc`, `authenticate-cognito`) "
     "vouches for them in `x-amzn-oidc-data`. Counts only from `trusted_proxies`."},
    {"endpoints[].sessions.authenticators[].alb.realm", "text", "", "(the issuer)",
     "The name of this population of users."},
    {"endpoints[].sessions.authenticators[].alb.signers", "list of texts", "1 to 16 entries",
     "required",
     "The ARNs of your load balancers. Anybody's can sign anything with a key from the same "
     "place; this list is what tells yours apart."},
    {"endpoints[].sessions.authenticators[].alb.client", "text", "", "required",
     "The load balancer's client id at the identity provider."},
    {"endpoints[].sessions.authenticators[].alb.issuer", "text", "", "required",
     "The identity provider, as the load balancer's rule names it."},
    {"endpoints[].sessions.authenticators[].alb.keys_url", "https URL", "2048 bytes",
     "(AWS's, in the region of the first signer)",
     "Where keys are published, one PEM below it for each key id. Only partitions other than "
     "`aws` need it."},
    {"endpoints[].sessions.authenticators[].alb.ca_file", "file", "PEM", "(the system's CAs)",
     "The CAs that may have issued the certificate of `keys_url`'s host."},
    {"endpoints[].sessions.authenticators[].alb.subject_claim", "text", "", "sub",
     "Which claim of the identity provider's user info is the user."},
    {"endpoints[].sessions.authenticators[].alb.endpoint_claim", "text", "", "endpoint",
     "Which one names the endpoint."},
    {"endpoints[].sessions.authenticators[].alb.groups_claim", "text", "", "groups",
     "Which one lists groups."},
});

}  // namespace kg::config
