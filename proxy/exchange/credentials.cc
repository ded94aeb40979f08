#include "proxy/exchange/credentials.h"

#include <string>
#include <utility>

#include "proxy/base/ascii.h"
#include "proxy/http/cookie.h"
#include "proxy/kernel/operation.h"
#include "proxy/websocket/token_protocol.h"

namespace kg::exchange {
namespace {

// "" when there is no field of that name, " " for an empty one.
Result<std::string_view> only_field(const http::RequestHead& head, std::string_view name,
                                    const char* twice) {
  std::string_view found;
  for (const http::Header& field : head.headers) {
    if (!ascii::equals_ignore_case(field.name, name)) continue;
    if (!found.empty()) return Error{ErrorCode::kBadRequest, twice, 0};
    found = field.value.empty() ? std::string_view(" ") : field.value;
  }
  return found;
}

// The credential of "token X" or "Bearer X", "" for any other scheme.
std::string_view credential_of(std::string_view value) {
  for (const std::string_view scheme : {std::string_view("token"), std::string_view("bearer")}) {
    if (value.size() > scheme.size() && value[scheme.size()] == ' ' &&
        ascii::starts_with_ignore_case(value, scheme)) {
      return ascii::trim(value.substr(scheme.size()));
    }
  }
  return {};
}

}  // namespace

Result<Credentials> Credentials::of(const http::RequestHead& head, const Sender& sender) {
  Credentials out;
  const Result<void> taken = out.take_explicit(head);
  if (!taken) return taken.error();
  if (!sender.cookie.empty()) {
    const Result<std::string_view> cookie = http::cookie(head, sender.cookie);
    if (!cookie) return cookie.error();
    if (out.place_ == CredentialPlace::kNone && !cookie->empty()) {
      out.field_ = *cookie;
      out.place_ = CredentialPlace::kCookie;
    }
  }
  if (sender.peer_trusted) {
    const auto data = only_field(head, "x-amzn-oidc-data", "two X-Amzn-Oidc-Data fields");
    if (!data) return data.error();
    out.oidc_data_ = *data;
  }
  out.certificate_ = sender.certificate;
  return out;
}

Result<void> Credentials::take_explicit(const http::RequestHead& head) {
  const auto value = only_field(head, "authorization", "two Authorization fields");
  if (!value) return value.error();
  if (!value->empty()) {
    field_ = credential_of(*value);
    if (field_.empty()) return Error{ErrorCode::kUnauthorized, "not a token or Bearer scheme", 0};
    place_ = CredentialPlace::kAuthorization;
  }
  if (head.has_query) {
    Result<std::string> parameter = kernel::token_parameter(head.query);
    if (!parameter) return parameter.error();
    const Result<void> added = add(CredentialPlace::kQuery, Secret(std::move(*parameter)));
    if (!added) return added;
  }
  if (!head.upgrade_websocket) return {};
  Result<Secret> offered = websocket::offered_token(head);
  if (!offered) return offered.error();
  return add(CredentialPlace::kSubprotocol, std::move(*offered));
}

Result<void> Credentials::add(CredentialPlace place, Secret text) {
  if (text.empty()) return {};
  if (place_ == CredentialPlace::kNone) {
    decoded_ = std::move(text);
    place_ = place;
    return {};
  }
  if (token() == text.reveal()) return {};
  return Error{ErrorCode::kBadRequest, "two session tokens that differ", 0};
}

auth::Evidence Credentials::evidence() const noexcept {
  auth::Evidence evidence;
  evidence.token = token();
  evidence.oidc_data = oidc_data_;
  evidence.certificate = certificate_;
  return evidence;
}

CredentialPlace Credentials::place_of(auth::Proof proof) const noexcept {
  switch (proof) {
    case auth::Proof::kToken:
      return place_;
    case auth::Proof::kLoadBalancer:
      return CredentialPlace::kLoadBalancer;
    case auth::Proof::kCertificate:
      return CredentialPlace::kCertificate;
  }
  return CredentialPlace::kNone;
}

}  // namespace kg::exchange
