#include "proxy/base/secret.h"

#include <cstring>

namespace kg {
void Secret::wipe() noexcept {
  value_.resize(value_.capacity());  // no reallocation: the bytes become writable
  explicit_bzero(value_.data(), value_.size());
  value_.clear();
}
}  // namespace kg
