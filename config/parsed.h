// What the parsers of single values return, and their common form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/schema.h"

namespace kg::config {

template <class T>
struct Parsed {
  std::optional<T> value;
  std::string problem;  // if there is no value
  std::string remedy;

  static Parsed ok(T value) { return {std::move(value), "", ""}; }
  static Parsed bad(std::string problem, std::string remedy) {
    return {std::nullopt, std::move(problem), std::move(remedy)};
  }
};

// `text` is never empty and holds no control character; `info` gives the range or the words.
template <class T>
using Parser = Parsed<T> (*)(std::string_view text, const KeyInfo& info);

}  // namespace kg::config
