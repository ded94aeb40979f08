#include "proxy/base/secret.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/ascii.h"

namespace kg {

std::optional<Secret> Secret::from_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string url(text);
  std::replace(url.begin(), url.end(), '+', '-');
  std::replace(url.begin(), url.end(), '/', '_');
  std::optional<std::string> bytes = ascii::base64url_decode(url);
  const Secret wiped(std::move(url));
  if (!bytes) return std::nullopt;
  return Secret(std::move(*bytes));
}

void Secret::wipe() noexcept {
  value_.resize(value_.capacity());  // no reallocation: the bytes become writable
  explicit_bzero(value_.data(), value_.size());
  value_.clear();
}

}  // namespace kg
