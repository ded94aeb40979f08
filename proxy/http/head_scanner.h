// HeadScanner finds the end of a head in a stream and refuses what no head may contain: CR and LF
// other than as CRLF, NUL and other controls but HTAB, DEL, and lines that begin with white space
// (obs-fold, RFC 9112 sections 2.2 and 5.2). It sees every byte once. Private to proxy/http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/base/result.h"

namespace kg::http {

class HeadScanner {
 public:
  // How many bytes of `data` belong to the head: all, unless done() afterwards.
  Result<size_t> scan(std::string_view data, ErrorCode fault);
  bool done() const noexcept { return state_ == State::kDone; }
  // Complete lines so far, the start line among them, the empty last line not.
  size_t lines() const noexcept { return lines_; }
  // Of the start line without CRLF, as far as it came.
  size_t start_line_bytes() const noexcept { return start_line_bytes_; }

 private:
  enum class State : uint8_t { kLine, kLineLf, kLineStart, kEndLf, kDone };

  State state_ = State::kLine;
  size_t lines_ = 0;
  size_t start_line_bytes_ = 0;
};

}  // namespace kg::http
