#include "proxy/http/head_reader.h"

#include "proxy/base/limits.h"
#include "proxy/http/head_parser.h"
#include "proxy/http/head_rules.h"

namespace kg::http {
namespace {

constexpr int kEmptyLinesMax = 2;

}  // namespace

Result<size_t> RequestReader::skip_empty_lines(std::string_view data) {
  size_t skipped = 0;
  while (skipped < data.size()) {
    const bool after_cr = empty_line_bytes_ % 2 != 0;
    const char c = data[skipped];
    if (after_cr && c != '\n') return Error{ErrorCode::kBadRequest, "bare CR before the head"};
    if (!after_cr && c == '\n') return Error{ErrorCode::kBadRequest, "bare LF before the head"};
    if (!after_cr && c != '\r') break;
    ++skipped;
    if (++empty_line_bytes_ > 2 * kEmptyLinesMax) {
      return Error{ErrorCode::kBadRequest, "empty lines before the head"};
    }
  }
  return skipped;
}

Result<void> RequestReader::check_progress() {
  if (scanner_.start_line_bytes() > limits_.line_bytes) {
    return Error{ErrorCode::kUriTooLong, "request line above the limit"};
  }
  if (scanner_.lines() > 0 && !start_line_checked_) {
    start_line_checked_ = true;
    const std::string_view line(head_.bytes.data(), scanner_.start_line_bytes());
    Result<void> checked = check_request_line(line, head_);
    if (!checked) return checked;
  }
  if (head_.bytes.size() > limits_.head_bytes) {
    return Error{ErrorCode::kHeadTooLarge, "head above the limit"};
  }
  if (scanner_.lines() > limits_.fields + 1) {
    return Error{ErrorCode::kHeadTooLarge, "too many header fields"};
  }
  return {};
}

Result<size_t> RequestReader::feed(std::string_view data) {
  if (failed_) return Error{ErrorCode::kBadRequest, "read on after an error"};
  if (complete_) return size_t{0};
  failed_ = true;  // until all checks have passed
  size_t skipped = 0;
  if (head_.bytes.empty()) {
    const Result<size_t> empty = skip_empty_lines(data);
    if (!empty) return empty;
    skipped = *empty;
    data.remove_prefix(skipped);
  }
  const Result<size_t> taken = scanner_.scan(data, ErrorCode::kBadRequest);
  if (!taken) return taken;
  head_.bytes.append(data.substr(0, *taken));
  const Result<void> progress = check_progress();
  if (!progress) return progress.error();
  if (scanner_.done()) {
    const Result<void> parsed = parse_request_parts(head_, scanner_.lines() - 1);
    if (!parsed) return parsed.error();
    const Result<void> applied = apply_request_rules(head_);
    if (!applied) return applied.error();
    complete_ = true;
  }
  failed_ = false;
  return skipped + *taken;
}

void RequestReader::reset() noexcept {
  head_.clear();
  scanner_ = HeadScanner();
  empty_line_bytes_ = 0;
  start_line_checked_ = false;
  complete_ = false;
  failed_ = false;
}

Result<void> ResponseReader::check_progress() {
  constexpr ErrorCode kFault = ErrorCode::kUpstreamProtocol;
  if (scanner_.lines() > 0 && !start_line_checked_) {
    start_line_checked_ = true;
    const std::string_view line(head_.bytes.data(), scanner_.start_line_bytes());
    Result<void> checked = check_status_line(line, head_);
    if (!checked) return checked;
  }
  if (head_.bytes.size() > limits::kHeadBytesMax) return Error{kFault, "head above 96 KiB"};
  if (scanner_.lines() > limits::kHeaderCountMax + 1) {
    return Error{kFault, "more than 128 header fields"};
  }
  return {};
}

Result<size_t> ResponseReader::feed(std::string_view data) {
  if (failed_) return Error{ErrorCode::kUpstreamProtocol, "read on after an error"};
  if (complete_) return size_t{0};
  failed_ = true;  // until all checks have passed
  const Result<size_t> taken = scanner_.scan(data, ErrorCode::kUpstreamProtocol);
  if (!taken) return taken;
  head_.bytes.append(data.substr(0, *taken));
  const Result<void> progress = check_progress();
  if (!progress) return progress.error();
  if (scanner_.done()) {
    const Result<void> parsed = parse_response_parts(head_, scanner_.lines() - 1);
    if (!parsed) return parsed.error();
    const Result<void> applied = apply_response_rules(head_, request_method_);
    if (!applied) return applied.error();
    complete_ = true;
  }
  failed_ = false;
  return *taken;
}

void ResponseReader::reset() noexcept {
  head_.clear();
  scanner_ = HeadScanner();
  start_line_checked_ = false;
  complete_ = false;
  failed_ = false;
}

}  // namespace kg::http
