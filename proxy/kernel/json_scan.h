// JsonScan steps over JSON text without parsing what it does not want: strings by memchr, values by
// their brackets. It fails at the text's end or at what cannot be JSON there, for good.
//
// Not a validator: it finds in valid JSON what is there, and of other text it reads no byte
// outside.
#pragma once

#include <cstddef>
#include <string_view>

namespace kg::kernel {

class JsonScan {
 public:
  explicit JsonScan(std::string_view text) noexcept
      : at_(text.data()), end_(text.data() + text.size()) {}

  bool failed() const noexcept { return failed_; }
  const char* at() const noexcept { return at_; }
  bool at_end() const noexcept { return at_ == end_ && !stopped_short_; }

  // `{`, then each member: visit(key) takes the value, by take_string(), for_members() or skip(),
  // and returns whether to go on. False if it was stopped or the text failed.
  template <class Visit>
  bool for_members(Visit&& visit) noexcept {
    if (!take('{')) return false;
    if (peek() == '}') return take('}');
    for (;;) {
      std::string_view key;
      if (!take_string(key) || !take(':') || !visit(key)) return false;
      if (peek() == '}') return take('}');
      if (!take(',')) return false;
    }
  }
  // Between its quotes, escapes as they are.
  bool take_string(std::string_view& out) noexcept;
  bool skip() noexcept;  // one value

 private:
  // Behind white space; 0 at the end.
  char peek() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }
  bool take(char wanted) noexcept {
    if (peek() != wanted) return fail();  // nothing wanted is 0
    ++at_;
    return true;
  }
  // Nothing is left to be read then.
  bool fail() noexcept {
    failed_ = true;
    stopped_short_ = stopped_short_ || at_ != end_;
    end_ = at_;
    return false;
  }

  const char* at_;
  const char* end_;
  bool failed_ = false;
  bool stopped_short_ = false;  // it failed before the end
};

}  // namespace kg::kernel
