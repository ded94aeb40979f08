#include "auth/delegated.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/identity.h"
#include "auth/refusal.h"
#include "proxy/base/ascii.h"
#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"

namespace kg::auth {
namespace {

constexpr size_t kDigestBytes = 16;
constexpr size_t kNameBytesMax = 256;
constexpr size_t kForwardedGroupsMax = 64;

// Printable ASCII without spaces at its ends: bytes beyond it have no agreed meaning in a header.
bool is_forwardable(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kNameBytesMax && ascii::trim(text) == text &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; });
}

// The token's name for logs and ownership: it stays the same for a token, and leads back to none.
std::string digest_of(const Secret& key, const Secret& token) {
  const crypto::Sha256 digest = crypto::sha256(key.reveal(), token.reveal());
  std::string name = "token-";
  constexpr std::string_view kHex = "0123456789abcdef";
  for (size_t i = 0; i < kDigestBytes; ++i) {
    name += kHex[digest[i] >> 4U];
    name += kHex[digest[i] & 0xfU];
  }
  return name;
}

std::optional<std::vector<std::string>> groups_of(const std::vector<std::string>& fields) {
  std::vector<std::string> groups;
  bool good = true;
  for (const std::string& field : fields) {
    ascii::for_each_element(field, [&](std::string_view group) {
      good = good && is_forwardable(group) && groups.size() < kForwardedGroupsMax;
      if (good) groups.emplace_back(group);
    });
  }
  if (!good) return std::nullopt;
  return groups;
}

}  // namespace

std::string DelegatedOptions::identity() const {
  Identity all("delegated");
  all.add(realm).add(endpoint_id).add(url.text()).add(connect_to).add(to_own_gateway ? 1 : 0);
  all.add(trust.get()).add(subject_header).add(groups_header).add(digest_key.reveal());
  return all.add(deadline_ms).digest();
}

Delegated::Delegated(DelegatedOptions options) : options_(std::move(options)) {
  KG_ASSERT(options_.digest_key.reveal().size() == sizeof(crypto::Sha256));
  KG_ASSERT(!options_.to_own_gateway ||
            (options_.subject_header.empty() && options_.groups_header.empty()));
}

fetch::Request Delegated::request(const Secret& token) const {
  fetch::Request request;
  request.purpose = fetch::Purpose::kDelegated;
  request.url = options_.url;
  request.to_own_gateway = options_.to_own_gateway;
  request.connect_to = options_.connect_to;
  request.trust = options_.trust;
  request.deadline_ms = options_.deadline_ms;
  request.status_only = true;
  std::string value;
  value.reserve(token.reveal().size() + 6);  // no copy is left behind
  value += "token ";
  value += token.reveal();
  request.fields.push_back({"Authorization", Secret(std::move(value))});
  if (!options_.to_own_gateway) {
    request.fields.push_back({"X-Kernelgate-Endpoint", Secret(options_.endpoint_id)});
  }
  for (const std::string* name : {&options_.subject_header, &options_.groups_header}) {
    if (!name->empty()) request.wanted.push_back(*name);
  }
  return request;
}

Verdict Delegated::read(const fetch::Answer& answer, const Secret& token, int64_t now) const {
  switch (answer.status) {
    case 200:
      return accept(answer, token, now);
    case 401:
      return Verdict::refuses({ErrorCode::kUnauthorized, "the service refused the token", 0});
    case 403:
      return Verdict::refuses({ErrorCode::kForbidden, "the service forbade the token", 0});
    default:
      return Verdict::refuses(unclear("the service answered neither 200 nor 401 nor 403"));
  }
}

Verdict Delegated::accept(const fetch::Answer& answer, const Secret& token, int64_t now) const {
  Principal who;
  who.realm = options_.realm;
  who.endpoint = options_.endpoint_id;
  who.expires_at = now + limits::kSessionSecondsMax;  // moves with each answer
  size_t next = 0;
  if (options_.subject_header.empty()) {
    who.subject = digest_of(options_.digest_key, token);
  } else {
    const std::vector<std::string>& subjects = answer.wanted.at(next++);
    if (subjects.size() != 1 || !is_forwardable(subjects.front())) {
      return Verdict::refuses(unclear("the service's answer does not name one subject"));
    }
    who.subject = subjects.front();
  }
  if (!options_.groups_header.empty()) {
    auto groups = groups_of(answer.wanted.at(next));
    if (!groups) return Verdict::refuses(unclear("the service's answer names unusable groups"));
    who.groups = std::move(*groups);
  }
  return Verdict::accepts(std::move(who));
}

}  // namespace kg::auth
