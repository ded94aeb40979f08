#include "proxy/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <string>

#include "proxy/base/ascii.h"
#include "proxy/base/log_fields.h"

namespace kg::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      break;
  }
  return spdlog::level::err;
}

std::atomic<bool> is_json{false};

void add_json(std::string_view name, std::string_view value, std::string& out) {
  out += out.empty() ? "" : ",";
  ascii::json_quote(name, out);
  out += ':';
  ascii::json_quote(value, out);
}

spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    spdlog::logger made("kernelgate", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made.flush_on(spdlog::level::debug);
    return made;
  }();
  return instance;
}

}  // namespace

void set_level(Level level) noexcept { logger().set_level(to_spdlog(level)); }
bool enabled(Level level) noexcept { return logger().should_log(to_spdlog(level)); }
void write(Level level, std::string_view area, std::string_view message) {
  write(level, area, message, {});
}

void use_json() noexcept {
  is_json = true;
  logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                       spdlog::pattern_time_type::utc);
}

void write(Level level, std::string_view area, std::string_view message,
           std::initializer_list<Field> fields) {
  std::string line;
  if (is_json) {
    add_json("area", area, line);
    add_json("message", message, line);
    for (const Field& field : fields) add_json(field.name, field.value, line);
  } else {
    line.append(area).append(" ").append(message);
    for (const Field& field : fields)
      line.append(" ").append(field.name).append("=").append(field.value);
  }
  logger().log(to_spdlog(level), line);
}

}  // namespace kg::log
