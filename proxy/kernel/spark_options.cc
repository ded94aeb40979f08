#include "proxy/kernel/spark_options.h"

#include <algorithm>

namespace kg::kernel {
namespace {

constexpr std::string_view kValueBytes =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/,=@%+-";

std::string_view next_option_word(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

std::optional<std::string> checked_spark_options(std::string_view text,
                                                 const std::vector<std::string>& allowed_keys,
                                                 std::string& fault) {
  std::string out;
  const auto refuse = [&fault](std::string what) {
    fault = "KERNEL_EXTRA_SPARK_OPTS " + std::move(what);
    return std::nullopt;
  };
  while (true) {
    const std::string_view option = next_option_word(text);
    if (option.empty()) return out;
    if (option != "--conf") return refuse("holds more than --conf KEY=VALUE");
    const std::string_view pair = next_option_word(text);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals + 1 == pair.size()) {
      return refuse("has a --conf without KEY=VALUE");
    }
    const std::string_view key = pair.substr(0, equals);
    const auto allowed = std::find(allowed_keys.begin(), allowed_keys.end(), key);
    if (allowed == allowed_keys.end()) return refuse("sets a key that is not in spark_conf");
    if (pair.find_first_not_of(kValueBytes, equals + 1) != std::string_view::npos) {
      return refuse("has bytes in the value of " + *allowed + " that a shell may read");
    }
    if (!out.empty()) out += ' ';
    out.append("--conf ").append(pair);
  }
}

}  // namespace kg::kernel
