// BodyReader finds the payload and the end of one message body in a stream of bytes.
//
// Streams: holds no payload. Chunked framing is our own state machine, strict as RFC 9112
// section 7.1: CRLF only, hex sizes of at most 15 digits, chunk extensions skipped within
// kChunkLineBytesMax and free of controls, trailer fields dropped within kTrailerBytesMax (RFC 9110
// section 6.5.1 allows it).
// Errors: `fault` as given at construction (kBadRequest from clients, kUpstreamProtocol from
// gateways).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace kg::http {

class BodyReader {
 public:
  BodyReader() = default;
  BodyReader(Framing framing, uint64_t length, ErrorCode fault);

  struct Piece {
    size_t consumed = 0;       // bytes of `data` dealt with, framing included
    std::string_view payload;  // part of `data`; may be empty
  };
  // One step; call again while data is left and !done(). Until done() a step with data always
  // consumes.
  Result<Piece> next(std::string_view data);
  bool done() const noexcept { return state_ == State::kDone; }
  // The peer closed: fine for kUntilClose (then done), an error for an unfinished body.
  Result<void> end_of_stream();

 private:
  enum class State : uint8_t {
    kFixed,
    kUntilClose,
    kSize,
    kSizeSpace,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailerName,
    kTrailer,
    kTrailerLf,
    kEndLf,
    kDone
  };
  // Takes one framing byte; a literal that says what is wrong with it, or nullptr.
  const char* step(char c) noexcept;
  const char* step_size(char c) noexcept;
  const char* step_trailer(char c) noexcept;

  State state_ = State::kDone;
  ErrorCode fault_ = ErrorCode::kBadRequest;
  uint64_t left_ = 0;        // payload bytes to come, of the body or of the chunk
  uint32_t line_bytes_ = 0;  // of the chunk line, or of all trailers
  uint8_t digits_ = 0;
};

// Appends the size line of a chunk ("1f\r\n"); payload and kChunkEnd follow. Never with size 0.
void append_chunk_size(size_t size, std::string& out);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace kg::http
