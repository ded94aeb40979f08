// RequestReader and ResponseReader collect the bytes of one head and parse it strictly: llhttp
// names the parts, a byte scan before it refuses what llhttp lets pass.
//
// Refused (RequestReader: 400 unless said; ResponseReader: kUpstreamProtocol): bare CR or LF
// (llhttp 8.1.0 accepts a bare CR, CVE-2023-30589), NUL and other controls, obs-fold, white space
// before the colon or in names, empty names, a missing, repeated or invalid Host in 1.1 (RFC 9112
// section 3.2), Content-Length together with Transfer-Encoding, differing or malformed
// Content-Length (a list of equal values counts as malformed), Transfer-Encoding in 1.0, any coding
// but a single "chunked" (501 for well-formed unknown ones, alone or before it), unknown methods
// (501), fragments and non-ASCII bytes in the target, userinfo in an authority, a second Expect
// value (417), HTTP versions other than 1.0 and 1.1 (505), too long request lines (414) and heads
// or too many fields (431). Empty lines before a request line are skipped, at most two (RFC 9112
// section 2.2). Method CONNECT, the asterisk form and TRACE parse; whoever routes refuses them.
//
// feed() returns how many bytes it took; it never takes a byte beyond the head. Work is linear in
// the bytes fed, however they are split. After an error the reader is dead until reset().
#pragma once

#include <cstddef>
#include <string_view>

#include "proxy/base/limits.h"
#include "proxy/base/result.h"
#include "proxy/http/head_scanner.h"
#include "proxy/http/message.h"

namespace kg::http {

struct HeadLimits {
  size_t line_bytes = limits::kRequestLineBytesMax;
  size_t head_bytes = limits::kHeadBytesMax;
  size_t fields = limits::kHeaderCountMax;
};

class RequestReader {
 public:
  explicit RequestReader(RequestHead& head) : head_(head) {}
  void set_limits(const HeadLimits& limits) noexcept { limits_ = limits; }
  Result<size_t> feed(std::string_view data);
  bool complete() const noexcept { return complete_; }
  // True once a byte of a request line came: the head deadline runs from then on.
  bool started() const noexcept { return !head_.bytes.empty(); }
  void reset() noexcept;  // also clears the head

 private:
  Result<size_t> skip_empty_lines(std::string_view data);
  Result<void> check_progress();

  RequestHead& head_;
  HeadLimits limits_;
  HeadScanner scanner_;
  int empty_line_bytes_ = 0;  // odd: a CR waits for its LF
  bool start_line_checked_ = false;
  bool complete_ = false;
  bool failed_ = false;
};

class ResponseReader {
 public:
  explicit ResponseReader(ResponseHead& head) : head_(head) {}
  // Method of the request that is being answered: HEAD and CONNECT change the framing
  // (RFC 9112 section 6.3). Call before the first feed of each response.
  void expect(Method request_method) noexcept { request_method_ = request_method; }
  Result<size_t> feed(std::string_view data);
  bool complete() const noexcept { return complete_; }
  bool started() const noexcept { return !head_.bytes.empty(); }
  void reset() noexcept;  // also clears the head; what was expected stays

 private:
  Result<void> check_progress();

  ResponseHead& head_;
  Method request_method_ = Method::kGet;
  HeadScanner scanner_;
  bool start_line_checked_ = false;
  bool complete_ = false;
  bool failed_ = false;
};

}  // namespace kg::http
