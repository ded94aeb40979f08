#include "proxy/server/pod_report.h"

#include <string_view>

#include "proxy/base/ascii.h"

namespace kg::server {
namespace {

void add_text(std::string& out, const char* name, std::string_view text) {
  out.append(out.size() > 1 ? ",\"" : "\"").append(name) += "\":";
  ascii::json_quote(text, out);
}

void add_flag(std::string& out, const char* name, bool value) {
  out.append(",\"").append(name).append(value ? "\":true" : "\":false");
}

void add_number(std::string& out, const char* name, uint64_t value) {
  out.append(",\"").append(name).append("\":").append(std::to_string(value));
}

std::string kernels_json(const kernel::KernelCensus& kernels, uint64_t age_ms) {
  std::string out = "{\"busy\":" + std::to_string(kernels.busy);
  add_number(out, "idle", kernels.idle);
  add_number(out, "other", kernels.other);
  add_number(out, "copies", kernels.copies);
  add_number(out, "age_seconds", age_ms / 1'000);
  return out += '}';
}

}  // namespace

std::string PodReport::json() const {
  std::string out = "{";
  add_text(out, "endpoint", endpoint);
  add_text(out, "pod", pod);
  add_flag(out, "configured", configured);
  if (configured) {
    add_text(out, "virtual_cluster", virtual_cluster);
    add_text(out, "address", address);
    add_flag(out, "takes_new_kernels", takes_new);
    if (healthy) add_flag(out, "healthy", *healthy);
    add_flag(out, "gone", gone);
  }
  add_flag(out, "cordoned", cordoned);
  if (cordoned) add_flag(out, "survives_restart", survives_restart);
  if (configured) {
    add_number(out, "restarts_suspected", restarts);
    add_number(out, "launches", launches);
    add_number(out, "websockets", websockets);
    out.append(",\"kernels\":").append(kernels ? kernels_json(*kernels, kernels_age_ms) : "null");
    add_flag(out, "empty", empty);
  }
  return out += '}';
}

}  // namespace kg::server
