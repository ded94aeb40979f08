// HTTP/1.1 message heads as read: views into bytes that the head itself owns.
//
// Owner:  one exchange side; reused per connection by clear(). Neither copied nor moved, because
//         every view points into `bytes`.
// Limits: kHeadBytesMax, kHeaderCountMax (limits.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kg::http {

struct Header {
  std::string_view name;   // as sent; compare with ascii::equals_ignore_case
  std::string_view value;  // without surrounding white space
};

enum class Method : uint8_t {
  kGet,
  kHead,
  kPost,
  kPut,
  kPatch,
  kDelete,
  kOptions,
  kConnect,
  kTrace,
  kOther
};

// How the end of the body is known (RFC 9112 section 6.3).
enum class Framing : uint8_t { kNone, kLength, kChunked, kUntilClose };

struct RequestHead {
  RequestHead() = default;
  RequestHead(const RequestHead&) = delete;
  RequestHead& operator=(const RequestHead&) = delete;

  std::string bytes;  // the head as received, ending in CRLF CRLF
  Method method = Method::kOther;
  std::string_view method_text;
  std::string_view target;  // as sent: origin form, or absolute form
  std::string_view path;    // of the target, never empty for origin and absolute form
  std::string_view query;   // without '?'; has_query tells "" from absent
  bool has_query = false;
  std::string_view
      authority;  // host[:port] of the absolute form, else of Host; may be empty in 1.0
  uint8_t version_minor = 1;
  std::vector<Header> headers;
  Framing framing = Framing::kNone;
  uint64_t content_length = 0;   // for kLength
  bool keep_alive = true;        // RFC 9112 section 9.3
  bool expect_continue = false;  // RFC 9110 section 10.1.1
  bool upgrade_websocket =
      false;  // GET with Upgrade: websocket named in Connection (RFC 6455 4.2.1)

  // The first field of that name, "" if there is none.
  std::string_view find(std::string_view name) const noexcept;
  void clear() noexcept;  // also gives the memory back
};

struct ResponseHead {
  ResponseHead() = default;
  ResponseHead(const ResponseHead&) = delete;
  ResponseHead& operator=(const ResponseHead&) = delete;

  std::string bytes;
  uint16_t status = 0;  // 100..599
  std::string_view reason;
  uint8_t version_minor = 1;
  std::vector<Header> headers;
  Framing framing = Framing::kNone;
  uint64_t content_length = 0;
  bool keep_alive = true;
  bool upgrade_websocket = false;  // 101 with Upgrade: websocket

  std::string_view find(std::string_view name) const noexcept;
  void clear() noexcept;
};

}  // namespace kg::http
