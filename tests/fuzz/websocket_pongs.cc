// The filter of pongs against a plain reading of the whole input: it takes the answer to our ping
// out, once, and nothing else, however the bytes are cut.
//
// The first byte chooses whose frames they are. "OURPONG!" in the input stands for our payload.
#include <string>

#include "proxy/websocket/pong_filter.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {
namespace {

using websocket::FrameScanner;
using websocket::Masking;
using websocket::PongFilter;

constexpr std::string_view kMark = "OURPONG!";

// Where our pong begins, or npos.
size_t find_ours(std::string_view data, Masking masking, std::string_view payload) {
  const size_t header = masking == Masking::kNone ? 2 : 6;
  FrameScanner scanner;
  for (size_t at = 0; at < data.size() && scanner.at_boundary();) {
    const std::string_view rest = data.substr(at);
    if (rest.size() >= header + 8 && static_cast<unsigned char>(rest[0]) == 0x8a &&
        static_cast<unsigned char>(rest[1]) == (masking == Masking::kNone ? 0x08 : 0x88)) {
      std::string plain(rest.substr(header, 8));
      for (size_t i = 0; header == 6 && i < 8; ++i) {
        plain[i] = static_cast<char>(plain[i] ^ rest[2 + i % 4]);
      }
      if (plain == payload) return at;
    }
    at += scanner.scan_frame(rest);
  }
  return std::string_view::npos;
}

}  // namespace

void run(std::string_view input) {
  const Masking masking = choose(input, 2) == 0 ? Masking::kNone : Masking::kRandom;
  for (const Cut cut : {Cut::kWhole, Cut::kBytes, Cut::kTwoPieces, Cut::kPieces}) {
    PongFilter filter(masking);
    FrameScanner scanner;
    const auto ping = filter.next_ping();
    const std::string_view payload(ping.data(), ping.size());
    std::string data(input);
    for (size_t at = 0; (at = data.find(kMark, at)) != std::string::npos; at += kMark.size()) {
      data.replace(at, kMark.size(), payload);
    }
    std::string passed;
    for_each_piece(data, cut, [&](std::string_view piece) {
      while (!piece.empty()) {
        const PongFilter::Step step = filter.next(piece, scanner);
        KG_ASSERT(step.used > 0 && step.used <= piece.size());
        piece.remove_prefix(step.used);
        passed += step.pass;
      }
      return true;
    });
    const std::string_view held = filter.take_held();
    KG_ASSERT(held.size() <= 14 && (held.empty() || scanner.at_boundary()));
    passed += held;
    const size_t ours = find_ours(data, masking, payload);
    KG_ASSERT(filter.idle() == (ours != std::string::npos));
    if (ours != std::string::npos) data.erase(ours, masking == Masking::kNone ? 10 : 14);
    KG_ASSERT(passed == data);
  }
}

}  // namespace kg::fuzz
