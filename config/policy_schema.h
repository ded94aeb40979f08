// The rows of config/schema.cc about who may do what, in its form and order.
#pragma once

#include <array>

#include "config/schema.h"

namespace kg::config {

inline constexpr auto kPolicyKeys = std::to_array<KeyInfo>({
    {"endpoints[].sessions.allow", "map", "", "(nobody)",
     "Who may use this endpoint without a token that names it. A subject, a group or the claims "
     "are each enough. A token that names another endpoint stays out whatever stands here."},
    {"endpoints[].sessions.allow.realms", "list of texts", "1 to 64 entries", "(all)",
     "Only users of these realms are meant."},
    {"endpoints[].sessions.allow.subjects", "list of texts", "1 to 1000 entries", "(none)",
     "Users by subject; `\"*\"` is everybody with a session."},
    {"endpoints[].sessions.allow.groups", "list of texts", "1 to 256 entries", "(none)",
     "Users by group."},
    {"endpoints[].sessions.allow.claims", "list of maps", "1 to 16 entries", "(none)",
     "Users whose token has all of these claims, each with one of its values."},
    {"endpoints[].sessions.allow.claims[].name", "text", "", "required",
     "A claim that is a text or a list of texts."},
    {"endpoints[].sessions.allow.claims[].values", "list of texts", "1 to 256 entries", "required",
     "What it may say."},
    {"endpoints[].sessions.support", "map", "", "(nobody)",
     "Who may list, interrupt and delete everybody's kernels here, and nothing else by this. They "
     "need not be in `allow`."},
    {"endpoints[].sessions.support.realms", "list of texts", "1 to 64 entries", "(all)",
     "Only users of these realms are meant."},
    {"endpoints[].sessions.support.subjects", "list of texts", "1 to 1000 entries", "(none)",
     "Users by subject."},
    {"endpoints[].sessions.support.groups", "list of texts", "1 to 256 entries", "(none)",
     "Users by group."},
    {"endpoints[].sessions.operations", "list of maps", "0 to 64 entries", "(none)",
     "Rules for those who are let in, support among them. The first one that fits operation and "
     "user decides; without one the operation is allowed. What is denied is 403."},
    {"endpoints[].sessions.operations[].allow", "list of words", "1 to 17 entries", "(none)",
     "Operations as metrics name them (`DeleteKernel`), `Other` for those of `other_paths`, or "
     "`\"*\"`. Each rule has either this or `deny`. A session operation needs the kernel "
     "operations "
     "that it comes to as well."},
    {"endpoints[].sessions.operations[].deny", "list of words", "1 to 17 entries", "(none)",
     "The same, denied."},
    {"endpoints[].sessions.operations[].realms", "list of texts", "1 to 64 entries", "(all)",
     "Only users of these realms are meant."},
    {"endpoints[].sessions.operations[].subjects", "list of texts", "1 to 1000 entries",
     "(everybody)", "Users by subject. A rule without subjects and groups is for everybody."},
    {"endpoints[].sessions.operations[].groups", "list of texts", "1 to 256 entries", "(everybody)",
     "Users by group."},
    {"endpoints[].kernels.specs", "list of names", "1 to 256 entries", "(all)",
     "Kernel specs that may be seen and started, as the gateway lists them. A start of another "
     "one, or of none by name, is 403; its pages are 404."},
    {"endpoints[].quotas", "map", "", "(defaults)",
     "What one user (realm and subject) may hold and do at this endpoint. All but `kernels` are "
     "counted by each replica for itself. Each one that acts counts in "
     "`kernelgate_limits_hit_total`."},
    {"endpoints[].quotas.websockets", "integer or `none`", "1 to 1000000", "1024",
     "Open WebSockets; then 429 with `Retry-After`. No person opens so many, a program that runs "
     "away does."},
    {"endpoints[].quotas.launches", "integer or `none`", "1 to 100000", "16",
     "Kernel starts at a time; then 429. A stock Jupyter server has at most 10 requests open, and "
     "a gateway starts one kernel after the other."},
    {"endpoints[].quotas.kernels", "integer or `none`", "1 to 10000", "none",
     "Kernels that run or start, counted in the gateway's own list before each start, so that all "
     "replicas count alike; then 403 with the gateway's own words. The gateway must list its "
     "kernels (`EG_LIST_KERNELS`): what cannot be counted does not start."},
    {"endpoints[].quotas.requests_per_second", "integer or `none`", "1 to 10000", "none",
     "Requests of any kind, also such that open a WebSocket; then 429 with `Retry-After`. None by "
     "default: what is normal depends on how many notebooks share one token."},
    {"endpoints[].quotas.request_burst", "integer", "1 to 100000", "(requests_per_second)",
     "So many at once after a pause: opening JupyterLab sends a dozen."},
    {"endpoints[].gateway.identity_headers", "map", "", "(none)",
     "Tell the gateway who asks, in headers of these names: `X-` and letters, digits, hyphens. "
     "What a client sends under such a name is removed, always. Bytes outside printable ASCII, "
     "`%` and, in groups, `,` come percent-encoded. A gateway gives them to kernels if "
     "`EG_KERNEL_HEADERS` names them."},
    {"endpoints[].gateway.identity_headers.subject", "header name", "", "(none)",
     "The user: `X-Kernel-User`, for example."},
    {"endpoints[].gateway.identity_headers.realm", "header name", "", "(none)",
     "Whose user: the realm of the session."},
    {"endpoints[].gateway.identity_headers.groups", "header name", "", "(none)",
     "The user's groups, separated by commas; no header for none."},
    {"endpoints[].gateway.identity_headers.role", "header name", "", "(none)",
     "The execution role that the token names; no header for none."},
});

}  // namespace kg::config
