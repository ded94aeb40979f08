#include "routing/controller/ingress/ids.h"

#include <algorithm>
#include <cstddef>

#include "proxy/base/crypto.h"
#include "routing/controller/ingress/annotations.h"
#include "routing/controller/ingress/limits.h"

namespace kg::ingress {
namespace {

bool is_plain(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string with_digest(std::string_view readable, std::string_view of) {
  constexpr size_t kReadableMax = kIdBytesMax - 2 * kIdDigestBytes;
  std::string out;
  for (const char c : readable) {
    if (is_plain(c) && out.size() < kReadableMax) out += c;
  }
  const crypto::Sha256 digest = crypto::sha256(of);
  return out + crypto::hex({reinterpret_cast<const char*>(digest.data()), kIdDigestBytes});
}

}  // namespace

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kIdBytesMax && std::ranges::all_of(text, is_plain);
}

Ids ids_of(const IngressSource& ingress, const Parameters& parameters, const std::string& last) {
  Ids out;
  const Metadata& meta = ingress.meta;
  const auto end = meta.annotations.end();
  // What nobody may give claims nothing either.
  const auto given = parameters.is_locked("endpoint-id")
                         ? end
                         : meta.annotations.find(std::string(kOwnPrefix) + "endpoint-id");
  const std::string& prefix = parameters.id_prefix;
  const std::string_view name = meta.name.name;
  if (given != end) {
    out.is_annotated = true;
    out.is_invalid = !is_id(given->second);
    out.base = out.is_invalid ? last : given->second;
    if (out.base.empty()) return out;
  } else if (!prefix.empty() && name.starts_with(prefix) && is_id(name.substr(prefix.size()))) {
    out.base = name.substr(prefix.size());
  } else {
    out.base = with_digest(name, meta.name.text());
  }
  for (const Target& target : ingress.targets) {
    if (out.of_targets.empty()) {
      out.of_targets.push_back(out.base);
      continue;
    }
    const std::string of = meta.name.text() + "/" + target.service + "/" + target.port_text();
    out.of_targets.push_back(with_digest(out.base, of));
  }
  return out;
}

}  // namespace kg::ingress
