// The rows of config/schema.cc about authenticators that ask a service, in its form and order.
#pragma once

#include <array>

#include "config/schema.h"

namespace kg::config {

inline constexpr auto kServiceKeys = std::to_array<KeyInfo>({
    {"endpoints[].sessions.authenticators[].introspection", "map", "", "(one of these)",
     "An authorization server says whose a token is (RFC 7662). Recognises every token, so it "
     "stands last."},
    {"endpoints[].sessions.authenticators[].introspection.url", "https URL", "2048 bytes",
     "required", "Its introspection endpoint. The token goes there in a form."},
    {"endpoints[].sessions.authenticators[].introspection.ca_file", "file", "PEM",
     "(the system's CAs)", "The CAs that may have issued its certificate."},
    {"endpoints[].sessions.authenticators[].introspection.client_id", "text", "", "required",
     "Who the proxy is there; goes up as Basic credentials."},
    {"endpoints[].sessions.authenticators[].introspection.client_secret_file", "file", "one line",
     "required", "The secret that goes with it. A warning if everybody may read the file."},
    {"endpoints[].sessions.authenticators[].introspection.realm", "text", "",
     "(scheme, host and port of url)",
     "The name of this population of users: equal subjects of two realms are two people."},
    {"endpoints[].sessions.authenticators[].introspection.issuer", "text", "", "(any)",
     "The answer's `iss` must equal it."},
    {"endpoints[].sessions.authenticators[].introspection.audience", "text", "", "(any)",
     "The answer's `aud` must be or hold it. Give it if the server knows tokens for other "
     "services."},
    {"endpoints[].sessions.authenticators[].introspection.scope", "text", "", "(any)",
     "One word that must be among the answer's `scope`; without it 403."},
    {"endpoints[].sessions.authenticators[].introspection.subject_claim", "text", "", "sub",
     "Which member of the answer is the user; `username` where there is no `sub`."},
    {"endpoints[].sessions.authenticators[].introspection.endpoint_claim", "text", "", "endpoint",
     "Which member of the answer names the endpoint."},
    {"endpoints[].sessions.authenticators[].introspection.groups_claim", "text", "", "groups",
     "Which member of the answer lists the user's groups."},
    {"endpoints[].sessions.authenticators[].introspection.timeout", "duration", "100ms to 9s", "5s",
     "For the whole exchange; then 503. A client waits meanwhile."},
    {"endpoints[].sessions.authenticators[].introspection.cache", "duration", "0s to 1h", "60s",
     "How long an active token is believed, never beyond its `exp`: a revoked one still counts so "
     "long."},
    {"endpoints[].sessions.authenticators[].introspection.refused_cache", "duration", "0s to 5m",
     "5s", "How long a token that is not active stays refused without a question."},
    {"endpoints[].sessions.authenticators[].delegated", "map", "", "(one of these)",
     "A GET with `Authorization: token` and the client's token decides: 200 lets in, 401 and 403 "
     "refuse, anything else is 503. For tokens whose form nobody else knows. Recognises every "
     "token, so it stands last."},
    {"endpoints[].sessions.authenticators[].delegated.url", "https URL", "2048 bytes", "(gateway)",
     "An authentication service; it also gets `X-Kernelgate-Endpoint` with the endpoint's id. "
     "Either this or `gateway`."},
    {"endpoints[].sessions.authenticators[].delegated.gateway", "path", "256 bytes", "(url)",
     "The endpoint's own gateway decides, by this path, usually /api/kernelspecs."},
    {"endpoints[].sessions.authenticators[].delegated.ca_file", "file", "PEM", "(the system's CAs)",
     "The CAs that may have issued the certificate of `url`'s host."},
    {"endpoints[].sessions.authenticators[].delegated.realm", "text", "", "(the endpoint's id)",
     "The name of this population of users: equal subjects of two realms are two people."},
    {"endpoints[].sessions.authenticators[].delegated.subject_header", "header name", "64 bytes",
     "(none)",
     "Field of the service's answer that names the user. Without it a user is called by a digest "
     "of the token, and is another one with the next token."},
    {"endpoints[].sessions.authenticators[].delegated.groups_header", "header name", "64 bytes",
     "(none)", "Field of the service's answer that names the user's groups, with commas between."},
    {"endpoints[].sessions.authenticators[].delegated.timeout", "duration", "100ms to 9s", "5s",
     "For the whole exchange; then 503. A client waits meanwhile."},
    {"endpoints[].sessions.authenticators[].delegated.cache", "duration", "0s to 1h", "60s",
     "How long a 200 is believed: a revoked token still counts so long."},
    {"endpoints[].sessions.authenticators[].delegated.refused_cache", "duration", "0s to 5m", "5s",
     "How long a 401 or 403 is repeated without a question."},
});

}  // namespace kg::config
