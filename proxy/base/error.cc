#include "proxy/base/error.h"

#include <array>

namespace kg {
namespace {

using enum ErrorCode;
constexpr auto kClient = Side::kClient;
constexpr auto kUpstream = Side::kUpstream;
constexpr auto kOwn = Side::kInternal;
constexpr auto kNever = Retry::kNever;
constexpr auto kUnsent = Retry::kIfUnsent;

constexpr std::array<ErrorRow, kErrorCodeCount> kRows{{
    {kNone, "none", kOwn, kNever, 0, 1000, "No error.", ""},
    {kBadRequest, "bad_request", kClient, kNever, 400, 1002,
     "The request is not valid HTTP/1.1 or names its target ambiguously.",
     "Send the request as RFC 9112 says, with a plain path."},
    {kUriTooLong, "uri_too_long", kClient, kNever, 414, 1002, "The request target is too long.",
     "Shorten the URL."},
    {kHeadTooLarge, "head_too_large", kClient, kNever, 431, 1002,
     "The request's header fields are too large or too many.",
     "Remove cookies or large header fields."},
    {kBodyTooLarge, "body_too_large", kClient, kNever, 413, 1009,
     "The request body is larger than this operation allows.",
     "Send a smaller body: a kernel start needs a name and a few environment values."},
    {kRequestTimeout, "request_timeout", kClient, kNever, 408, 1002,
     "The request did not arrive in time.", "Check the network between client and proxy."},
    {kUnsupportedMedia, "unsupported_media", kClient, kNever, 415, 1002,
     "A form may hold a token that the gateway would believe.", "Send the body as JSON."},
    {kExpectationFailed, "expectation_failed", kClient, kNever, 417, 1002,
     "The Expect header asks for something unknown.", "Send Expect: 100-continue or none."},
    {kNotImplemented, "not_implemented", kClient, kNever, 501, 1002,
     "The request's method or transfer coding is not supported.",
     "Use the methods of the kernel gateway API, with Content-Length or plain chunked."},
    {kVersionNotSupported, "version_not_supported", kClient, kNever, 505, 1002,
     "Only HTTP/1.0 and HTTP/1.1 are spoken here.", "Use HTTP/1.1."},
    {kMethodNotAllowed, "method_not_allowed", kClient, kNever, 405, 1002,
     "This operation does not take that method.", "Use the method of the kernel gateway API."},
    {kMisdirected, "misdirected_request", kClient, kNever, 421, 1008,
     "The connection was made for another host.",
     "Open a connection of its own for this host, with its name in the TLS handshake (SNI)."},
    {kUpgradeRequired, "upgrade_required", kClient, kNever, 426, 1002,
     "This address is a WebSocket.", "Connect with a WebSocket client, version 13."},
    {kTooManyRequests, "too_many_requests", kClient, kNever, 429, 1013,
     "This client has too many requests and WebSockets open at a time.",
     "Close some, or try again in a few seconds."},
    {kQuota, "quota", kClient, kNever, 429, 1013,
     "This session's user has reached a quota of the endpoint.",
     "Close what is not needed, or try again later."},
    {kUnauthorized, "unauthorized", kClient, kNever, 401, 1008,
     "No valid session token came with the request.",
     "Send Authorization: token <session token> (JUPYTER_GATEWAY_AUTH_TOKEN)."},
    {kSessionExpired, "session_expired", kClient, kNever, 401, 1008,
     "The session token has expired.", "Get a new session token and reconnect."},
    {kSessionRevoked, "session_revoked", kClient, kNever, 401, 1008, "The session was revoked.",
     "Sign in again, or ask the platform team."},
    {kLifetimeOver, "lifetime_over", kClient, kNever, 401, 1012,
     "The WebSocket has been open for sessions.max_lifetime.", "Reconnect."},
    {kForbidden, "forbidden", kClient, kNever, 403, 1008,
     "The session is not allowed to use this endpoint.",
     "Use a session token that was issued for this endpoint."},
    {kForeignOrigin, "foreign_origin", kClient, kNever, 403, 1008,
     "A page of another origin sent this in the user's name.",
     "List the page's origin in the endpoint's allowed_origins."},
    {kForeignSource, "foreign_source", kClient, kNever, 403, 1008,
     "The endpoint is not open to clients of this address.",
     "Connect from a network of the endpoint's allow_sources."},
    {kOperationForbidden, "operation_forbidden", kClient, kNever, 403, 1008,
     "The session is not allowed to do this on this endpoint.",
     "Ask who runs the endpoint for the right to it."},
    {kSpecForbidden, "spec_forbidden", kClient, kNever, 403, 1008,
     "This kernel spec is not allowed on this endpoint.",
     "Choose one of those that the endpoint lists."},
    {kTooManyKernels, "too_many_kernels", kClient, kNever, 403, 1008,
     "This session's user runs as many kernels as the endpoint allows.",
     "Shut down a kernel that is not needed."},
    {kNoRoute, "no_route", kClient, kNever, 404, 1008,
     "No endpoint is configured for this host and path.",
     "Check the gateway URL; `kernelgate explain` shows the routes."},
    {kNoOperation, "no_operation", kClient, kNever, 404, 1008,
     "This path is not part of the kernel gateway API.",
     "Allow it with `other_paths: forward` if the endpoint should serve it."},
    {kNoSpec, "no_spec", kClient, kNever, 404, 1008, "Kernel spec does not exist.",
     "Choose one of those that the endpoint lists."},
    {kNoKernel, "no_kernel", kClient, kNever, 404, 1008, "Kernel does not exist.",
     "List the kernels: it ended, or it is somebody else's."},
    {kNotebookMalformed, "notebook_malformed", kClient, kNever, 400, 1002,
     "The body of this session operation is not usable.",
     "Send a JSON object with path, type and kernel, as Jupyter servers take it."},
    {kLaunchMalformed, "launch_malformed", kClient, kNever, 400, 1002,
     "The body of this kernel start is not usable.",
     "Send a JSON object with name and env, each member once."},
    {kLaunchDenied, "launch_denied", kClient, kNever, 403, 1008,
     "The kernel start asks for what this endpoint does not allow.",
     "Leave it out, or ask the platform team to allow it."},
    {kClientTls, "client_tls", kClient, kNever, 0, 1002, "The TLS handshake failed.",
     "Check the client's TLS version, name and trust."},
    {kClientGone, "client_gone", kClient, kNever, 0, 1001, "The client closed the connection.", ""},
    {kClientStalled, "client_stalled", kClient, kNever, 0, 1008,
     "The client did not read its data in time.", "Check the client and its network."},
    {kClientSilent, "client_silent", kClient, kNever, 0, 1001,
     "The client is silent and does not answer a ping.", "Check the client and its network."},
    {kMessageTooLarge, "message_too_large", kClient, kNever, 413, 1009,
     "The message is larger than websocket.message_bytes_max.", "Send it in smaller pieces."},
    {kUpstreamConnect, "upstream_connect", kUpstream, kUnsent, 502, 1011,
     "The kernel gateway cannot be reached.",
     "Try again; if it persists, check that the gateway runs."},
    {kUpstreamConnectTimeout, "upstream_connect_timeout", kUpstream, kUnsent, 504, 1011,
     "The kernel gateway did not accept a connection in time.",
     "Try again; if it persists, check the gateway and its network policy."},
    {kUpstreamTls, "upstream_tls", kUpstream, kNever, 502, 1011,
     "The kernel gateway's TLS certificate or handshake is not accepted.",
     "Check the gateway's certificate and the endpoint's gateway.tls."},
    {kUpstreamToken, "upstream_token", kUpstream, kNever, 502, 1011,
     "The kernel gateway does not accept the endpoint's own token.",
     "Compare the endpoint's gateway.token_file with the gateway's EG_AUTH_TOKEN."},
    {kUpstreamTimeout, "upstream_timeout", kUpstream, kNever, 504, 1011,
     "The kernel gateway did not answer in time.",
     "Try again; for slow kernel starts raise KERNEL_LAUNCH_TIMEOUT."},
    {kUpstreamReset, "upstream_reset", kUpstream, kUnsent, 502, 1011,
     "The kernel gateway closed the connection before it answered.",
     "Try again; if it persists, check whether the gateway restarts."},
    {kUpstreamProtocol, "upstream_protocol", kUpstream, kNever, 502, 1011,
     "The kernel gateway gave an answer that is not valid HTTP.",
     "Check that the pod's address is a Jupyter Enterprise Gateway."},
    {kUpstreamBusy, "upstream_busy", kUpstream, kUnsent, 503, 1013,
     "Too many requests wait for this kernel gateway.", "Try again in a few seconds."},
    {kNoPod, "no_pod", kUpstream, kNever, 503, 1013,
     "No kernel gateway of this endpoint takes new kernels now.",
     "Try again in a few seconds; if it persists, check the gateways' health and cordons."},
    {kLaunchLost, "launch_lost", kUpstream, kNever, 503, 1013,
     "The kernel gateway broke off while the kernel started.",
     "Try again; should that kernel come up after all, it is deleted."},
    {kListIncomplete, "list_incomplete", kUpstream, kNever, 503, 1013,
     "A kernel gateway does not list its kernels now, and without them the list would have gaps.",
     "Try again in a few seconds; if it persists, look at the endpoint's gateway pods."},
    {kListRefused, "list_refused", kUpstream, kNever, 403, 1008,
     "The kernel gateway does not list its kernels.",
     "Let the gateway list them (EG_LIST_KERNELS=True)."},
    {kUpstreamStalled, "upstream_stalled", kUpstream, kNever, 504, 1011,
     "The kernel gateway stopped taking data.", "Check whether the gateway is overloaded."},
    {kUpstreamGone, "upstream_gone", kUpstream, kNever, 502, 1011,
     "The kernel gateway closed the connection.",
     "Reconnect; the kernel may have to be restarted."},
    {kUpstreamLost, "upstream_lost", kUpstream, kNever, 502, 1012,
     "The connection to the kernel gateway was lost and could not be made anew.",
     "Reconnect; the kernel may still run."},
    {kKernelGone, "kernel_gone", kUpstream, kNever, 502, 1011,
     "The kernel is gone: its gateway does not know it any more.", "Start a new kernel."},
    {kUpstreamSilent, "upstream_silent", kUpstream, kNever, 504, 1011,
     "The kernel gateway is silent and does not answer a ping.",
     "Reconnect; if it persists, check the gateway."},
    {kUpstreamMessageTooLarge, "upstream_message_too_large", kUpstream, kNever, 502, 1011,
     "The kernel sent a message larger than websocket.message_bytes_max.",
     "Let the kernel print less at a time."},
    {kKernelLost, "kernel_lost", kUpstream, kNever, 404, 1008,
     "The kernel gateway that held this kernel is gone, and the kernel with it.",
     "Start a new kernel."},
    {kKernelUnplaced, "kernel_unplaced", kUpstream, kNever, 503, 1013,
     "A kernel gateway cannot be reached, so nobody can say now where this kernel is.",
     "Try again in a few seconds; if it persists, check that the gateways run."},
    {kOverloaded, "overloaded", kOwn, kNever, 503, 1013, "The proxy is at its limit.",
     "Try again in a few seconds."},
    {kLaunchQueue, "launch_queue", kOwn, kNever, 503, 1013,
     "Too many kernels are starting on this endpoint.", "Try again in a few seconds."},
    {kSessionUnknown, "session_unknown", kOwn, kNever, 503, 1013,
     "The session could not be checked now.",
     "Try again in a few seconds; if it persists, the platform team should look at the issuer."},
    {kDraining, "draining", kOwn, kNever, 503, 1012, "The proxy is shutting down.",
     "Reconnect: another replica takes over."},
    {kInternal, "internal", kOwn, kNever, 500, 1011, "The proxy failed.",
     "Report the request id to the platform team."},
    {kConfiguration, "configuration", kOwn, kNever, 500, 1011, "The configuration is not usable.",
     "Run `kernelgate check`."},
}};

constexpr bool rows_in_order() {
  for (uint8_t i = 0; i < kErrorCodeCount; ++i) {
    if (static_cast<uint8_t>(kRows[i].code) != i) return false;
  }
  return true;
}
static_assert(rows_in_order(), "kRows follows the order of ErrorCode");

}  // namespace

const ErrorRow& error_row(ErrorCode code) noexcept { return kRows[static_cast<uint8_t>(code)]; }

std::string_view reason_phrase(uint16_t status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

}  // namespace kg
