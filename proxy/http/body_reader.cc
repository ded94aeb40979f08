#include "proxy/http/body_reader.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "proxy/base/ascii.h"
#include "proxy/base/limits.h"
#include "proxy/http/field_name.h"

namespace kg::http {
namespace {

constexpr uint8_t kSizeDigitsMax = 15;  // 60 bits: the size cannot overflow

// -1 for anything but a hex digit.
int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = ascii::to_lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

BodyReader::BodyReader(Framing framing, uint64_t length, ErrorCode fault) : fault_(fault) {
  switch (framing) {
    case Framing::kNone:
      break;
    case Framing::kLength:
      left_ = length;
      state_ = length > 0 ? State::kFixed : State::kDone;
      break;
    case Framing::kChunked:
      state_ = State::kSize;
      break;
    case Framing::kUntilClose:
      state_ = State::kUntilClose;
      break;
  }
}

Result<BodyReader::Piece> BodyReader::next(std::string_view data) {
  if (state_ == State::kUntilClose) return Piece{data.size(), data};
  size_t framing = 0;
  while (framing < data.size() && state_ != State::kDone) {
    if (state_ == State::kFixed || state_ == State::kData) {
      const auto take = static_cast<size_t>(std::min<uint64_t>(left_, data.size() - framing));
      left_ -= take;
      if (left_ == 0) state_ = state_ == State::kFixed ? State::kDone : State::kDataCr;
      return Piece{framing + take, data.substr(framing, take)};
    }
    if (const char* wrong = step(data[framing]); wrong != nullptr) return Error{fault_, wrong};
    ++framing;
  }
  return Piece{framing, {}};
}

const char* BodyReader::step(char c) noexcept {
  switch (state_) {
    case State::kSize:
    case State::kSizeSpace:
    case State::kExtension:
      return step_size(c);
    case State::kSizeLf:
      if (c != '\n') return "bare CR in a chunk line";
      line_bytes_ = 0;
      digits_ = 0;
      state_ = left_ > 0 ? State::kData : State::kTrailerStart;
      return nullptr;
    case State::kDataCr:
      if (c != '\r') return "chunk longer than its size";
      state_ = State::kDataLf;
      return nullptr;
    case State::kDataLf:
      if (c != '\n') return "bare CR after a chunk";
      state_ = State::kSize;
      return nullptr;
    case State::kTrailerStart:
    case State::kTrailerName:
    case State::kTrailer:
      return step_trailer(c);
    case State::kTrailerLf:
      if (c != '\n') return "bare CR in a trailer";
      ++line_bytes_;
      state_ = State::kTrailerStart;
      return nullptr;
    case State::kEndLf:
      if (c != '\n') return "bare CR after the last chunk";
      state_ = State::kDone;
      return nullptr;
    case State::kFixed:
    case State::kUntilClose:
    case State::kData:
    case State::kDone:
      break;
  }
  return "no framing expected";
}

const char* BodyReader::step_size(char c) noexcept {
  if (++line_bytes_ > limits::kChunkLineBytesMax) return "chunk line too long";
  if (state_ == State::kSize) {
    if (const int digit = hex_digit(c); digit >= 0) {
      if (++digits_ > kSizeDigitsMax) return "chunk size too large";
      left_ = left_ * 16 + static_cast<uint64_t>(digit);
      return nullptr;
    }
    if (digits_ == 0) return "chunk size missing";
  }
  if (state_ != State::kExtension) {
    // White space is allowed before ';' alone (BWS, RFC 9112 section 7.1.1).
    if (c == ';') {
      state_ = State::kExtension;
      return nullptr;
    }
    if (c == ' ' || c == '\t') {
      state_ = State::kSizeSpace;
      return nullptr;
    }
    if (c != '\r' || state_ == State::kSizeSpace) return "malformed chunk size";
  }
  if (c == '\r') {
    state_ = State::kSizeLf;
    return nullptr;
  }
  return is_control(c) ? "control character in a chunk extension" : nullptr;
}

const char* BodyReader::step_trailer(char c) noexcept {
  if (++line_bytes_ > limits::kTrailerBytesMax) return "trailer section too long";
  if (state_ == State::kTrailer) {
    if (c == '\r') {
      state_ = State::kTrailerLf;
      return nullptr;
    }
    return is_control(c) ? "control character in a trailer" : nullptr;
  }
  if (state_ == State::kTrailerStart && c == '\r') {
    state_ = State::kEndLf;
    return nullptr;
  }
  if (state_ == State::kTrailerName && c == ':') {
    state_ = State::kTrailer;
    return nullptr;
  }
  if (!is_token_char(c)) return "malformed trailer";
  state_ = State::kTrailerName;
  return nullptr;
}

Result<void> BodyReader::end_of_stream() {
  if (state_ == State::kUntilClose) state_ = State::kDone;
  if (state_ == State::kDone) return {};
  return Error{fault_, "connection closed inside the body"};
}

void append_chunk_size(size_t size, std::string& out) {
  KG_ASSERT(size > 0);  // zero would end the body
  std::array<char, 18> line;
  char* end = std::to_chars(line.data(), line.data() + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(std::string_view(line.data(), end));
}

}  // namespace kg::http
