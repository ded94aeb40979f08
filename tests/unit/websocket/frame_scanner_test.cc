#include "proxy/websocket/frame_scanner.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace kg::websocket::frame_scanner_test {

using namespace std::string_literals;

constexpr int kText = 1;
constexpr int kBinary = 2;
constexpr int kContinuation = 0;
constexpr int kClose = 8;
constexpr int kPing = 9;
constexpr int kPong = 10;

std::string masked_copy(std::string payload, const std::string& key) {
  for (size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
  return payload;
}

std::string header(int opcode, bool fin, uint64_t size, bool masked, int length_bytes = -1) {
  if (length_bytes < 0) length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  std::string out(1, static_cast<char>(opcode | (fin ? 0x80 : 0)));
  const int form = length_bytes == 0 ? static_cast<int>(size) : length_bytes == 2 ? 126 : 127;
  out += static_cast<char>(form | (masked ? 0x80 : 0));
  for (int i = length_bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
  return out;
}

std::string frame(int opcode, bool fin, const std::string& payload, bool masked = false) {
  const std::string key = "\x37\xfa\x21\x3d";
  std::string out = header(opcode, fin, payload.size(), masked);
  if (masked) out += key;
  return out + (masked ? masked_copy(payload, key) : payload);
}

std::string close_payload(uint16_t code, const std::string& reason = "") {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + reason;
}

FrameScanner scanned(std::string_view bytes) {
  FrameScanner scanner;
  scanner.scan(bytes);
  return scanner;
}

// Everything the scanner says.
std::string state(const FrameScanner& scanner) {
  return std::to_string(scanner.at_boundary()) + std::to_string(scanner.between_messages()) +
         std::to_string(scanner.lost()) + std::to_string(scanner.closed()) + " " +
         std::to_string(scanner.close_code()) + " " + std::to_string(scanner.messages());
}

TEST(FrameScanner, BeginsBetweenMessages) { EXPECT_EQ(state(FrameScanner{}), "1100 1006 0"); }

// RFC 6455 section 5.7.
TEST(FrameScanner, FollowsTheExamplesOfTheRfc) {
  EXPECT_EQ(state(scanned("\x81\x05\x48\x65\x6c\x6c\x6f"s)), "1100 1006 1");
  EXPECT_EQ(state(scanned("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s)), "1100 1006 1");
  FrameScanner fragmented = scanned("\x01\x03\x48\x65\x6c"s);
  EXPECT_EQ(state(fragmented), "1000 1006 0");
  fragmented.scan("\x80\x02\x6c\x6f"s);
  EXPECT_EQ(state(fragmented), "1100 1006 1");
  EXPECT_EQ(state(scanned("\x89\x05\x48\x65\x6c\x6c\x6f"s)), "1100 1006 0");
  EXPECT_EQ(state(scanned("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s)), "1100 1006 0");
  EXPECT_EQ(state(scanned("\x82\x7E\x01\x00"s + std::string(256, 'x'))), "1100 1006 1");
  EXPECT_EQ(state(scanned("\x82\x7F\0\0\0\0\0\x01\0\0"s + std::string(65536, 'x'))), "1100 1006 1");
}

TEST(FrameScanner, SaysTheSameHoweverBytesAreSplit) {
  const std::string bytes =
      frame(kText, false, "one", true) + frame(kPing, true, "are you there", true) +
      frame(kContinuation, false, "") + frame(kPong, true, "") +
      frame(kContinuation, true, std::string(300, 'x'), true) + frame(kBinary, true, "") +
      frame(kClose, true, close_payload(4001, "over"), true) + frame(kText, false, "late");
  // What is true after each byte, fed one at a time.
  std::vector<std::string> wanted;
  FrameScanner single;
  for (const char c : bytes) {
    single.scan({&c, 1});
    wanted.push_back(state(single));
  }
  EXPECT_EQ(wanted.back(), "1001 4001 2");
  for (size_t first = 0; first <= bytes.size(); ++first) {
    FrameScanner scanner;
    scanner.scan(std::string_view(bytes).substr(0, first));
    ASSERT_EQ(state(scanner), first == 0 ? state(FrameScanner{}) : wanted[first - 1]) << first;
    for (size_t second = first; second <= bytes.size(); second += 7) {
      FrameScanner rest = scanner;
      rest.scan(std::string_view(bytes).substr(first, second - first));
      rest.scan(std::string_view(bytes).substr(second));
      ASSERT_EQ(state(rest), wanted.back()) << first << " and " << second;
    }
  }
}

TEST(FrameScanner, ControlFramesInsideAMessageAreBoundariesOnly) {
  FrameScanner scanner;
  scanner.scan(frame(kText, false, "a"));
  EXPECT_TRUE(scanner.at_boundary());
  EXPECT_FALSE(scanner.between_messages());
  scanner.scan(frame(kPing, true, "p"));
  EXPECT_TRUE(scanner.at_boundary());
  EXPECT_FALSE(scanner.between_messages());
  EXPECT_EQ(scanner.messages(), 0u);
  scanner.scan(frame(kContinuation, true, "b"));
  EXPECT_TRUE(scanner.between_messages());
  EXPECT_EQ(scanner.messages(), 1u);
}

TEST(FrameScanner, IsNotAtABoundaryInsideHeaderOrPayload) {
  const std::string bytes = frame(kBinary, true, std::string(126, 'x'), true);
  FrameScanner scanner;
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    scanner.scan({&bytes[i], 1});
    ASSERT_FALSE(scanner.at_boundary()) << i;
  }
  scanner.scan({&bytes.back(), 1});
  EXPECT_TRUE(scanner.between_messages());
}

TEST(FrameScanner, CostsNothingPerByteOfPayload) {
  // 1 TiB would take many minutes byte by byte: only frames cost. The block is passed many times.
  FrameScanner scanner;
  const uint64_t size = uint64_t{1} << 40;
  scanner.scan(header(kBinary, true, size, false));
  const std::string block(size_t{16} * 1024 * 1024, 'x');
  for (uint64_t left = size; left > 0; left -= block.size()) {
    ASSERT_FALSE(scanner.at_boundary());
    scanner.scan(block);
  }
  EXPECT_EQ(state(scanner), "1100 1006 1");
}

TEST(FrameScanner, FollowsLongFormsOfShortLengths) {
  EXPECT_EQ(state(scanned(header(kText, true, 2, false, 8) + "ab" + frame(kText, true, "c"))),
            "1100 1006 2");
  EXPECT_EQ(state(scanned(header(kText, true, 0, false, 2) + frame(kText, true, "c"))),
            "1100 1006 2");
}

TEST(FrameScanner, FollowsTheLargestLengthAndIsLostAboveIt) {
  FrameScanner largest = scanned(header(kBinary, true, ~uint64_t{0} >> 1, false));
  EXPECT_EQ(state(largest), "0000 1006 0");
  FrameScanner lost =
      scanned(frame(kText, true, "ok") + header(kBinary, true, uint64_t{1} << 63, true));
  EXPECT_EQ(state(lost), "0000 1006 1") << "the masking key is still missing";
  lost.scan("mask");
  EXPECT_EQ(state(lost), "0010 1006 1");
  lost.scan(frame(kText, true, "more") + frame(kClose, true, close_payload(1000)));
  EXPECT_EQ(state(lost), "0010 1006 1") << "lost is for good";
}

TEST(FrameScanner, ReadsCloseCodes) {
  for (const bool masked : {false, true}) {
    for (const int code : {1000, 1001, 1011, 1012, 3000, 4999, 0, 65535}) {
      const auto payload = close_payload(static_cast<uint16_t>(code), "reason");
      const FrameScanner scanner = scanned(frame(kClose, true, payload, masked));
      EXPECT_TRUE(scanner.closed());
      EXPECT_EQ(scanner.close_code(), code);
      EXPECT_TRUE(scanner.between_messages());
    }
    EXPECT_EQ(state(scanned(frame(kClose, true, "", masked))), "1101 1005 0");
    EXPECT_EQ(state(scanned(frame(kClose, true, "x", masked))), "1101 1005 0");
  }
}

TEST(FrameScanner, ReadsTheCodeOfAnOverlongClose) {
  const std::string payload = close_payload(1008, std::string(200, 'r'));
  EXPECT_EQ(scanned(frame(kClose, true, payload, true)).close_code(), 1008);
  EXPECT_EQ(scanned(header(kClose, true, 2, false, 8) + close_payload(1009)).close_code(), 1009);
}

TEST(FrameScanner, KeepsTheFirstCloseCode) {
  const FrameScanner scanner =
      scanned(frame(kClose, true, close_payload(1001)) + frame(kClose, true, close_payload(1002)));
  EXPECT_EQ(scanner.close_code(), 1001);
}

TEST(FrameScanner, IsNotClosedBeforeTheWholeCloseFrameWentBy) {
  const std::string bytes = frame(kClose, true, close_payload(1000, "bye"), true);
  FrameScanner scanner = scanned(std::string_view(bytes).substr(0, bytes.size() - 1));
  EXPECT_FALSE(scanner.closed());
  EXPECT_EQ(scanner.close_code(), 1006);
}

TEST(FrameScanner, PassesWhatItDoesNotKnow) {
  // Reserved bits, opcodes 3 and 11, a continuation of nothing, a fragmented ping.
  EXPECT_EQ(state(scanned("\xf1\x01x"s)), "1100 1006 1");
  EXPECT_EQ(state(scanned("\x83\x01x"s)), "1100 1006 1");
  EXPECT_EQ(state(scanned("\x8b\x01x"s)), "1100 1006 0");
  EXPECT_EQ(state(scanned("\x80\x01x"s)), "1100 1006 1");
  EXPECT_EQ(state(scanned("\x09\x01x"s)), "1100 1006 0");
}

TEST(FrameScanner, StopsBehindAFrameIfAsked) {
  const std::string first = frame(kText, false, "one", true), second = frame(kPing, true, "");
  const std::string bytes = first + second + frame(kContinuation, true, std::string(200, 'x'));
  for (size_t begin = 0; begin < first.size(); ++begin) {
    FrameScanner scanner = scanned(std::string_view(bytes).substr(0, begin));
    std::string_view rest = std::string_view(bytes).substr(begin);
    EXPECT_EQ(scanner.scan_frame(rest), first.size() - begin);
    EXPECT_TRUE(scanner.at_boundary());
    rest.remove_prefix(first.size() - begin);
    EXPECT_EQ(scanner.scan_frame(rest), second.size());
    EXPECT_EQ(scanner.pings(), 1U);
    rest.remove_prefix(second.size());
    EXPECT_EQ(scanner.scan_frame(rest.substr(0, 50)), 50U) << "it has not ended";
    EXPECT_EQ(scanner.scan_frame(rest.substr(50)), rest.size() - 50);
    EXPECT_EQ(scanner.messages(), 1U);
  }
}

TEST(FrameScanner, CountsPingsAndPongs) {
  const FrameScanner scanner = scanned(frame(kPing, true, "a", true) + frame(kText, true, "b") +
                                       frame(kPong, true, "") + frame(kPing, true, "c"));
  EXPECT_EQ(scanner.pings(), 2U);
  EXPECT_EQ(scanner.pongs(), 1U);
}

// What may pass of `bytes`, fed in pieces of that size, if messages are limited to 300 bytes.
std::string passed(std::string_view bytes, size_t piece, FrameScanner& scanner) {
  scanner.limit_message(300);
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const std::string_view part = bytes.substr(at, piece);
    out += part.substr(0, scanner.scan(part));
  }
  return out;
}

TEST(FrameScanner, KeepsATooLargeMessageBack) {
  const std::string fine = frame(kBinary, true, std::string(300, 'x')) +
                           frame(kText, false, std::string(200, 'x'), true) +
                           frame(kPing, true, std::string(125, 'p')) +
                           frame(kContinuation, false, std::string(100, 'x'), true);
  for (const std::string& large :
       {frame(kContinuation, true, "y", true), frame(kBinary, true, std::string(301, 'y')),
        header(kBinary, true, ~uint64_t{0} >> 1, false)}) {
    const std::string bytes = fine + large + frame(kText, true, "never");
    FrameScanner scanner;
    EXPECT_EQ(passed(bytes, bytes.size(), scanner), fine);
    EXPECT_TRUE(scanner.too_large());
    EXPECT_TRUE(scanner.at_boundary()) << "nothing of it has passed";
    for (size_t piece = 1; piece < 20; ++piece) {
      FrameScanner split;
      const std::string out = passed(bytes, piece, split);
      EXPECT_TRUE(split.too_large());
      EXPECT_TRUE(out.starts_with(fine));
      EXPECT_LT(out.size(), fine.size() + 14) << "at most a part of its header";
      EXPECT_EQ(split.at_boundary(), out == fine) << piece;
    }
  }
}

TEST(FrameScanner, MeasuresEachMessageAnew) {
  FrameScanner scanner;
  std::string bytes;
  for (int i = 0; i < 5; ++i) {
    bytes += frame(kText, false, std::string(299, 'x')) + frame(kContinuation, true, "y") +
             frame(kBinary, true, std::string(300, 'x')) + frame(kPong, true, "");
  }
  EXPECT_EQ(passed(bytes, 17, scanner), bytes);
  EXPECT_FALSE(scanner.too_large());
}

TEST(FrameScanner, FollowsRandomFramesInRandomPieces) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::string bytes;
  uint64_t messages = 0;
  for (int i = 0; i < 500; ++i) {
    const size_t sizes[] = {0, 1, 13, 125, 126, 255, 65535, 65536};
    const bool fin = random() % 2 == 0;
    const bool control = random() % 4 == 0;
    const std::string payload(control ? random() % 126 : sizes[random() % 8], 'x');
    bytes += frame(control ? kPing : kBinary, fin || control, payload, random() % 2 == 0);
    if (fin && !control) ++messages;
  }
  FrameScanner scanner;
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = random() % (random() % 8 == 0 ? 100'000 : 20);
    scanner.scan(std::string_view(bytes).substr(at, size));
    at += size;
  }
  EXPECT_TRUE(scanner.at_boundary());
  EXPECT_EQ(scanner.messages(), messages);
}

TEST(FrameScanner, FrameByFrameItSaysTheSame) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    for (int i = 0; i < 30; ++i) {
      bytes += frame(std::array{kContinuation, kText, kBinary, kPing, kPong}[random() % 5],
                     random() % 2 == 0, std::string(random() % 200, 'x'), random() % 2 == 0);
    }
    if (round % 4 == 1) bytes += header(kBinary, true, ~uint64_t{0}, true);
    bytes += frame(kClose, true, close_payload(1001), true) + frame(kText, true, "behind it");
    FrameScanner at_once;
    if (round % 4 == 2) at_once.limit_message(1'000);
    if (round % 4 == 3) at_once.hold_close();
    FrameScanner by_frames = at_once;
    while (!bytes.empty() && !at_once.too_large() && !at_once.at_close()) {
      const std::string piece = bytes.substr(0, 1 + random() % (random() % 4 == 0 ? 1'000 : 20));
      bytes.erase(0, piece.size());
      size_t passed = 0;
      while (passed < piece.size() && !by_frames.too_large() && !by_frames.at_close())
        passed += by_frames.scan_frame(std::string_view(piece).substr(passed));
      ASSERT_EQ(at_once.scan(piece), passed);
      ASSERT_EQ(state(at_once), state(by_frames));
      ASSERT_TRUE(at_once.open_bytes() == by_frames.open_bytes() &&
                  at_once.too_large() == by_frames.too_large() &&
                  at_once.at_close() == by_frames.at_close() &&
                  at_once.pings_and_pongs() == by_frames.pings_and_pongs());
    }
  }
}

TEST(FrameScanner, CountsTheBytesOfAMessageThatRuns) {
  const std::string one = frame(kText, true, "one", true);
  const std::string first = frame(kText, false, "a", true);
  const std::string ping = frame(kPing, true, "p", true);
  const std::string last = frame(kContinuation, true, "b", true);
  FrameScanner scanner;
  scanner.scan(one + one);
  EXPECT_EQ(scanner.open_bytes(), 0U);
  scanner.scan(one + first);
  EXPECT_EQ(scanner.open_bytes(), first.size());
  scanner.scan(ping);
  EXPECT_EQ(scanner.open_bytes(), first.size() + ping.size()) << "inside a message";
  scanner.scan(last + one.substr(0, 3));
  EXPECT_EQ(scanner.open_bytes(), 3U);
  scanner.scan_frame(one.substr(3));
  EXPECT_EQ(scanner.open_bytes(), 0U);
}

TEST(FrameScanner, WhereItIsLostNoBytesAreAWholeMessage) {
  FrameScanner scanner;
  scanner.scan(header(kBinary, true, ~uint64_t{0}, true) + "mask");
  ASSERT_TRUE(scanner.lost());
  for (size_t passed = 1; passed < 20; ++passed) {
    EXPECT_FALSE(scanner.is_whole_message(passed, FrameScanner::Kind::kBinary)) << passed;
  }
}

TEST(FrameScanner, StopsInFrontOfACloseThatIsHeld) {
  const std::string before = frame(kText, false, "a") + frame(kPing, true, "p");
  const std::string close = frame(kClose, true, close_payload(1001));
  FrameScanner scanner;
  scanner.hold_close();
  EXPECT_EQ(scanner.scan(before + close), before.size());
  EXPECT_TRUE(scanner.at_close() && scanner.at_boundary());
  EXPECT_EQ(scanner.scan(close), 0U);
  EXPECT_FALSE(scanner.closed());
  scanner.drop_close();
  EXPECT_EQ(scanner.scan(frame(kContinuation, true, "b")), 3U);
  EXPECT_EQ(scanner.messages(), 1U);
  EXPECT_EQ(scanner.scan_frame(close), 0U);
  scanner.pass_close();
  EXPECT_EQ(scanner.scan(close), close.size());
  EXPECT_TRUE(scanner.closed());
  EXPECT_EQ(scanner.close_code(), 1001);
}

TEST(FrameScanner, SaysWhereAWholeMessageBegins) {
  FrameScanner scanner;
  const std::string whole = frame(kBinary, true, "message", true);
  const auto is_whole = [&scanner](std::string_view bytes) {
    return scanner.is_whole_message(scanner.scan_frame(bytes), FrameScanner::Kind::kBinary);
  };
  EXPECT_TRUE(is_whole(whole) && scanner.header_size() == 6);
  EXPECT_FALSE(is_whole(whole.substr(0, 1)));
  EXPECT_FALSE(is_whole(whole.substr(1, 8)));
  EXPECT_FALSE(is_whole(whole.substr(9)));
  EXPECT_FALSE(is_whole(frame(kPing, true, "p")));
  EXPECT_FALSE(is_whole(frame(kText, true, "message")));
}

TEST(FrameScanner, AFrameLongerThanAllNumbersIsNoWholeMessage) {
  const std::string begin = "\x82\xff" + std::string(12, '\xff');  // header and mask
  for (size_t first = 0; first < begin.size(); ++first) {
    FrameScanner scanner;
    scanner.scan_frame(begin.substr(0, first));
    const size_t passed = scanner.scan_frame(begin.substr(first));
    EXPECT_FALSE(passed > 0 && scanner.is_whole_message(passed, FrameScanner::Kind::kBinary))
        << first;
  }
}

}  // namespace kg::websocket::frame_scanner_test
