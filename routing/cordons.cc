#include "routing/cordons.h"

#include <algorithm>

#include "proxy/base/limits.h"

namespace kg::routing {
namespace {

constexpr size_t kNameBytesMax = 253;  // of a pod, the longer of the two (RFC 1035)

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kNameBytesMax && text.front() != '#' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

std::optional<Cordons> Cordons::parse(std::string_view text, std::string& problem) {
  Cordons out;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const size_t space = std::min(line.find(' '), line.size() - 1);
    const std::string_view endpoint = line.substr(0, space);
    const std::string_view pod = line.substr(space + 1);
    if (!is_name(endpoint) || !is_name(pod)) {
      problem = "line " + std::to_string(number) + " is not an endpoint and a pod";
      return std::nullopt;
    }
    if (!out.add(std::string(endpoint), std::string(pod))) {
      problem = "more than " + std::to_string(limits::kCordonsMax) + " pods";
      return std::nullopt;
    }
  }
  return out;
}

std::string Cordons::text() const {
  std::string out = "# Pods that an admin call closed for new kernels: endpoint, pod\n";
  for (const auto& [endpoint, pod] : pods_) out.append(endpoint).append(" ").append(pod) += '\n';
  return out;
}

bool Cordons::add(const std::string& endpoint, const std::string& pod) {
  if (has(endpoint, pod)) return true;
  if (pods_.size() >= limits::kCordonsMax) return false;
  pods_.emplace(endpoint, pod);
  return true;
}

}  // namespace kg::routing
