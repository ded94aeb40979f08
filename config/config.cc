#include "config/config.h"

namespace kg::config {

std::string format(const ConfigError& error) {
  std::string out = error.file;
  if (error.line > 0) out += ":" + std::to_string(error.line);
  out += error.warning ? ": warning: " : ": ";
  if (!error.key.empty()) out += error.key + ": ";
  out += error.problem;
  if (!error.remedy.empty()) out += ": " + error.remedy;
  return out;
}

}  // namespace kg::config
