// What an operator says of the session credentials API: the options --credentials-* of
// `kernelgate-controller run`. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routing/controller/issuer/limits.h"

namespace kg::issuer {

struct Options {
  std::string listen;  // "": there is no such API
  std::string certificate_file;
  std::string certificate_key_file;
  std::string signing_key_file;
  std::string issuer;                           // the `iss` of what it signs
  std::vector<std::string> audiences;           // of callers' tokens; empty: the API server's own
  std::string audit = "stdout";                 // or a file
  uint32_t calls_per_minute = kCallsPerMinute;  // of one caller
};

}  // namespace kg::issuer
