// A body in each framing: found alike however it arrives, and no byte beyond it is taken.
#include <string>

#include "proxy/base/error.h"
#include "proxy/http/body_reader.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using http::Framing;

struct Reading {
  http::BodyReader reader;
  std::string payload;
  size_t taken = 0;
  bool failed = false;

  Reading(Framing framing, uint64_t length, ErrorCode fault, std::string_view data, Cut cut)
      : reader(framing, length, fault) {
    if (reader.done()) return;
    for_each_piece(data, cut, [this, fault](std::string_view piece) {
      while (!piece.empty() && !reader.done()) {
        const Result<http::BodyReader::Piece> step = reader.next(piece);
        failed = !step;
        if (failed) {
          KG_ASSERT(step.error().code == fault);
          return false;
        }
        KG_ASSERT(step->consumed > 0 && step->consumed <= piece.size());
        KG_ASSERT(is_within(step->payload, piece.substr(0, step->consumed)));
        payload += step->payload;
        taken += step->consumed;
        piece.remove_prefix(step->consumed);
      }
      return !reader.done();
    });
  }
};

// What goes to the next hop: the same payload in chunks of our own.
void check_rechunked(const std::string& payload) {
  std::string out;
  if (!payload.empty()) {
    http::append_chunk_size(payload.size(), out);
    out.append(payload).append(http::kChunkEnd);
  }
  out += http::kLastChunk;
  const Reading again(Framing::kChunked, 0, ErrorCode::kUpstreamProtocol, out, Cut::kPieces);
  KG_ASSERT(again.reader.done() && again.payload == payload && again.taken == out.size());
}

}  // namespace

// The first byte chooses: 'C' chunked, 'U' until close, a digit: that length, times 37.
void run(std::string_view input) {
  if (input.empty()) return;
  const char letter = input.front();
  input.remove_prefix(1);
  const Framing framing = letter == 'C'   ? Framing::kChunked
                          : letter == 'U' ? Framing::kUntilClose
                                          : Framing::kLength;
  const uint64_t length = static_cast<unsigned char>(letter) % 16 * uint64_t{37};
  const ErrorCode fault =
      hash(input) % 2 == 0 ? ErrorCode::kBadRequest : ErrorCode::kUpstreamProtocol;
  Reading whole(framing, length, fault, input, Cut::kWhole);
  KG_ASSERT(whole.taken <= input.size());
  for (const Cut cut : kOtherCuts) {
    const Reading pieces(framing, length, fault, input, cut);
    KG_ASSERT(pieces.failed == whole.failed && pieces.reader.done() == whole.reader.done());
    KG_ASSERT(pieces.payload == whole.payload);
    KG_ASSERT(whole.failed || pieces.taken == whole.taken);
  }
  if (framing == Framing::kLength) {
    KG_ASSERT(!whole.failed && whole.payload == input.substr(0, length));
    KG_ASSERT(whole.reader.done() == (input.size() >= length));
  }
  if (framing == Framing::kUntilClose) KG_ASSERT(whole.payload == input && !whole.reader.done());
  const bool was_done = whole.reader.done();
  if (!whole.failed) {
    KG_ASSERT(whole.reader.end_of_stream().has_value() ==
              (was_done || framing == Framing::kUntilClose));
  }
  check_rechunked(whole.payload);
}

}  // namespace kg::fuzz
