// Lines of the operational log with fields of their own, and as JSON.
//
// Thread: any; use_json() once at start. Values are of strangers perhaps: they are escaped. Text
// has them behind the message, as NAME=VALUE.
#pragma once

#include <initializer_list>
#include <string_view>

#include "proxy/base/log.h"

namespace kg::log {

struct Field {
  std::string_view name;  // of the code: a-z and '_'
  std::string_view value;
};

// From now on each line is {"time":...,"level":...,"area":...,"message":...} and its fields.
void use_json() noexcept;
void write(Level level, std::string_view area, std::string_view message,
           std::initializer_list<Field> fields);

}  // namespace kg::log
