// BodyReader: payload and end of bodies, however the bytes are cut.
#include "proxy/http/body_reader.h"

#include "proxy/base/limits.h"
#include "tests/unit/http/support.h"

namespace kg::http::body_reader_test {

using namespace std::string_literals;

struct Outcome {
  std::string payload;
  size_t consumed = 0;
  bool done = false;
  ErrorCode code = ErrorCode::kNone;
};

Outcome read(BodyReader reader, const std::vector<std::string_view>& pieces) {
  Outcome outcome;
  for (std::string_view piece : pieces) {
    while (!piece.empty() && !reader.done()) {
      const Result<BodyReader::Piece> next = reader.next(piece);
      if (!next) {
        outcome.code = next.error().code;
        return outcome;
      }
      EXPECT_GT(next.value().consumed, 0U) << "a step must move on";
      EXPECT_GE(next.value().consumed, next.value().payload.size());
      outcome.payload += next.value().payload;
      outcome.consumed += next.value().consumed;
      piece.remove_prefix(next.value().consumed);
    }
  }
  outcome.done = reader.done();
  return outcome;
}

BodyReader chunked() { return {Framing::kChunked, 0, ErrorCode::kBadRequest}; }

struct Body {
  std::string wire;
  std::string payload;
};

const Body kChunkedBodies[] = {
    {"0\r\n\r\n", ""},
    {"000\r\n\r\n", ""},
    {"5\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
    {"00000000000000a\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
    {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
    {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
    {"5;a\r\nhello\r\n0;b=c;d=\"e;f\\\"\"\r\n\r\n", "hello"},
    {"5 ;a\r\nhello\r\n0\t;b\r\n\r\n", "hello"},
    {"5;\xc3\xa4\t\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n", "hello"},
    {"0\r\nDigest: \xc3\xa4\tx\r\n\r\n", ""},
};

TEST(BodyReader, FindsChunkedPayloadHoweverItIsCut) {  // RFC 9112 section 7.1
  for (const Body& body : kChunkedBodies) {
    for_each_cut(body.wire + "NEXT", [&](const std::vector<std::string_view>& pieces) {
      const Outcome outcome = read(chunked(), pieces);
      EXPECT_EQ(outcome.code, ErrorCode::kNone) << body.wire;
      EXPECT_TRUE(outcome.done) << body.wire;
      EXPECT_EQ(outcome.payload, body.payload);
      EXPECT_EQ(outcome.consumed, body.wire.size()) << "took bytes of the next message";
    });
  }
}

const std::pair<const char*, std::string> kRefused[] = {
    {"empty size", "\r\nhello\r\n"},
    {"letter", "g\r\n"},
    {"sign", "+5\r\nhello\r\n"},
    {"prefix", "0x5\r\nhello\r\n"},
    {"space before", " 5\r\nhello\r\n"},
    {"space after", "5 \r\nhello\r\n"},
    {"space inside", "5 5\r\n"},
    {"16 digits", "0000000000000005\r\nhello\r\n"},
    {"bare LF after size", "5\nhello\r\n"},
    {"bare CR after size", "5\rhello\r\n"},
    {"no size but an extension", ";a\r\n"},
    {"bare LF in an extension", "5;a\nhello\r\n"},
    {"bare CR in an extension", "5;a\rb\r\n"},
    {"NUL in an extension", "5;\0\r\n"s},
    {"DEL in an extension", "5;\x7f\r\n"},
    {"data longer than the size", "5\r\nhello!\r\n"},
    {"bare LF after data", "5\r\nhello\n0\r\n\r\n"},
    {"bare CR after data", "5\r\nhello\r0\r\n\r\n"},
    {"bare LF at the end", "0\r\n\n"},
    {"bare CR at the end", "0\r\n\rX"},
    {"bare LF in a trailer", "0\r\nA: b\n\r\n"},
    {"bare CR in a trailer", "0\r\nA: b\rC: d\r\n\r\n"},
    {"folded trailer", "0\r\nA: b\r\n c\r\n\r\n"},
    {"trailer without colon", "0\r\nGET / HTTP/1.1\r\n\r\n"},
    {"trailer without name", "0\r\n: b\r\n\r\n"},
    {"space before the colon of a trailer", "0\r\nA : b\r\n\r\n"},
    {"NUL in a trailer", "0\r\nA: \0\r\n\r\n"s},
};

TEST(BodyReader, RefusesAmbiguousChunksHoweverTheyAreCut) {
  for (const auto& [name, wire] : kRefused) {
    for_each_cut(wire, [&, name = name](const std::vector<std::string_view>& pieces) {
      EXPECT_EQ(read(chunked(), pieces).code, ErrorCode::kBadRequest) << name;
    });
  }
}

TEST(BodyReader, BoundsChunkLines) {
  const std::string most(limits::kChunkLineBytesMax - 3, 'a');  // beside "0", ";" and CR
  EXPECT_TRUE(read(chunked(), {"0;" + most + "\r\n\r\n"}).done);
  EXPECT_EQ(read(chunked(), {"0;" + most + "a\r\n\r\n"}).code, ErrorCode::kBadRequest);
  EXPECT_TRUE(read(chunked(), {"1;" + most + "\r\nx\r\n1;" + most + "\r\nx\r\n0\r\n\r\n"}).done)
      << "the bound is per line";
}

TEST(BodyReader, BoundsAllTrailersTogether) {
  std::string wire = "0\r\n";
  while (wire.size() < limits::kTrailerBytesMax + 16) wire += "Some: trailer\r\n";
  EXPECT_EQ(read(chunked(), {wire}).code, ErrorCode::kBadRequest);
}

TEST(BodyReader, TakesTheLargestSizeWithoutOverflow) {
  BodyReader reader = chunked();
  const std::string_view wire = "fffffffffffffff\r\nabc";
  const Result<BodyReader::Piece> next = reader.next(wire);
  ASSERT_TRUE(next);
  EXPECT_EQ(next.value().payload, "abc");
  EXPECT_FALSE(reader.done());
}

TEST(BodyReader, CountsSizedBodies) {
  for_each_cut("hello worldNEXT", [](const std::vector<std::string_view>& pieces) {
    const Outcome outcome = read({Framing::kLength, 11, ErrorCode::kBadRequest}, pieces);
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.payload, "hello world");
    EXPECT_EQ(outcome.consumed, 11U);
  });
}

TEST(BodyReader, IsDoneAtOnceWithoutBody) {
  EXPECT_TRUE(BodyReader().done());
  EXPECT_TRUE(BodyReader(Framing::kNone, 0, ErrorCode::kBadRequest).done());
  EXPECT_TRUE(BodyReader(Framing::kLength, 0, ErrorCode::kBadRequest).done());
  BodyReader reader;
  EXPECT_EQ(reader.next("GET /").value().consumed, 0U);
}

TEST(BodyReader, UntilCloseEndsWithTheStream) {
  BodyReader reader(Framing::kUntilClose, 0, ErrorCode::kUpstreamProtocol);
  EXPECT_EQ(reader.next("abc").value().payload, "abc");
  EXPECT_FALSE(reader.done());
  EXPECT_TRUE(reader.end_of_stream());
  EXPECT_TRUE(reader.done());
}

TEST(BodyReader, AnUnfinishedBodyIsTheFaultOfItsSender) {
  BodyReader sized(Framing::kLength, 5, ErrorCode::kUpstreamProtocol);
  ASSERT_TRUE(sized.next("abc"));
  EXPECT_EQ(sized.end_of_stream().error().code, ErrorCode::kUpstreamProtocol);
  BodyReader unfinished = chunked();
  ASSERT_TRUE(unfinished.next("5\r\nhello\r\n0\r\n"));
  EXPECT_EQ(unfinished.end_of_stream().error().code, ErrorCode::kBadRequest);
  EXPECT_TRUE(BodyReader().end_of_stream());
}

TEST(BodyReader, ReadsWhatTheProxyWrites) {
  std::string wire;
  const std::string payload(0x1f, 'x');
  append_chunk_size(payload.size(), wire);
  EXPECT_EQ(wire, "1f\r\n");
  wire += payload;
  wire += kChunkEnd;
  wire += kLastChunk;
  const Outcome outcome = read(chunked(), {wire});
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.payload, payload);
  EXPECT_EQ(outcome.consumed, wire.size());
}

}  // namespace kg::http::body_reader_test
