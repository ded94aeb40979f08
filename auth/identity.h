// Identity: a digest that is equal for equal configurations of a source. Secrets may be part of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/secret.h"
#include "proxy/fetch/request.h"

namespace kg::auth {

class Identity {
 public:
  explicit Identity(std::string_view kind) { add(kind); }
  Identity& add(std::string_view part);  // parts do not run into each other
  Identity& add(uint64_t number) { return add(std::to_string(number)); }
  Identity& add(const fetch::Trust* trust);
  std::string digest() const;  // 32 bytes

 private:
  Secret parts_;
};

}  // namespace kg::auth
