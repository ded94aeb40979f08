// The operational log: one line per event on stderr, "time level area message key=value ...".
//
// Thread: any. Levels: error (we failed), warn (an operator should look), info (life cycle only),
// debug (per exchange). Nothing per message. A client's fault is never an error. Secrets do not
// format (secret.h), so they cannot be logged.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace kg::log {

enum class Level { kDebug, kInfo, kWarn, kError };

// Default kInfo. Called once at start.
void set_level(Level level) noexcept;
bool enabled(Level level) noexcept;
void write(Level level, std::string_view area, std::string_view message);

template <class... Args>
void debug(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) {
    write(Level::kDebug, area, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void info(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) {
    write(Level::kInfo, area, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void warn(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarn, area, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, area, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace kg::log
