// Nearest: of known names the one that somebody meant who made a typing error, for "did you mean".
//
// Limits: names of at most kLengthMax bytes; a third of a name's characters may be wrong, three of
// them at most: else another name is meant, not this one. Thread: any.
#pragma once

#include <cstddef>
#include <string_view>

namespace kg::config {

class Nearest {
 public:
  static constexpr size_t kLengthMax = 40;  // longer than any name and its typing errors

  // `wanted` and what is offered must outlive this.
  explicit Nearest(std::string_view wanted) noexcept;

  void offer(std::string_view name);
  // "" where none is near; the first of those that are equally near.
  std::string_view found() const noexcept { return found_; }

 private:
  std::string_view wanted_;
  std::string_view found_;
  size_t below_;  // the distance that the next one has to beat
};

}  // namespace kg::config
