#include "proxy/kernel/json_scan.h"

#include <cstring>

namespace kg::kernel {

bool JsonScan::take_string(std::string_view& out) noexcept {
  if (!take('"')) return false;
  const char* const begin = at_;
  while (at_ != end_) {
    const void* found = std::memchr(at_, '"', static_cast<size_t>(end_ - at_));
    if (found == nullptr) break;
    const char* const quote = static_cast<const char*>(found);
    at_ = quote + 1;
    const char* backslashes = quote;  // an odd number of them escapes the quote
    while (backslashes[-1] == '\\') --backslashes;
    if ((quote - backslashes) % 2 == 0) {
      out = {begin, static_cast<size_t>(quote - begin)};
      return true;
    }
  }
  at_ = end_;
  return fail();
}
bool JsonScan::skip() noexcept {
  std::string_view text;
  size_t depth = 0;
  do {
    switch (peek()) {
      case '\0':
        return fail();
      case '"':
        if (!take_string(text)) return false;
        break;
      case '{':
      case '[':
        ++depth;
        ++at_;
        break;
      case '}':
      case ']':
        if (depth == 0) return fail();
        --depth;
        ++at_;
        break;
      case ',':
      case ':':
        if (depth == 0) return fail();
        ++at_;
        break;
      default:  // a number, true, false, null
        while (at_ != end_ && std::strchr(",:]}\"[{ \t\r\n", *at_) == nullptr) ++at_;
        if (at_ == end_) return fail();
    }
  } while (depth > 0);
  return true;
}

}  // namespace kg::kernel
