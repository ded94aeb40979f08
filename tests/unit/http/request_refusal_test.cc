// What RequestReader refuses, with the rule that says so, however the bytes are cut.
#include <cctype>

#include "proxy/base/limits.h"
#include "tests/unit/http/support.h"

namespace kg::http::request_refusal_test {

using namespace std::string_literals;

struct Refusal {
  const char* name;
  const char* rule;
  std::string wire;
  ErrorCode code = ErrorCode::kBadRequest;
};

std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << refusal.name << " (" << refusal.rule << ")";
}

std::string with(const std::string& fields) {
  return "GET /api HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string line(const std::string& request_line) { return request_line + "\r\nHost: h\r\n\r\n"; }

class RequestRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(RequestRefusal, HoldsForEveryCut) {
  const Refusal& refusal = GetParam();
  for_each_cut(refusal.wire, [&](const std::vector<std::string_view>& pieces) {
    RequestHead head;
    RequestReader reader(head);
    const Result<size_t> fed = feed_all(reader, pieces);
    ASSERT_FALSE(fed.has_value()) << "accepted in " << pieces.size() << " pieces, first "
                                  << pieces[0].size();
    EXPECT_EQ(fed.error().code, refusal.code) << fed.error().detail;
    EXPECT_STRNE(fed.error().detail, "");
    EXPECT_FALSE(reader.complete());
    EXPECT_FALSE(reader.feed("GET / HTTP/1.1\r\nHost: h\r\n\r\n").has_value()) << "not dead";
  });
}

const Refusal kLines[] = {
    {"BareLfAfterRequestLine", "RFC 9112 2.2", "GET / HTTP/1.1\nHost: h\r\n\r\n"},
    {"BareLfAfterField", "RFC 9112 2.2", "GET / HTTP/1.1\r\nHost: h\n\r\n"},
    {"BareLfAtTheEnd", "RFC 9112 2.2", "GET / HTTP/1.1\r\nHost: h\r\n\n"},
    {"OnlyBareLf", "RFC 9112 2.2", "GET / HTTP/1.1\nHost: h\n\n"},
    {"BareCrInValue", "RFC 9112 2.2, CVE-2023-30589", with("A: b\rc\r\n")},
    {"BareCrAsLineEnd", "CVE-2023-30589", with("A: b\rContent-Length: 5\r\n")},
    {"BareCrInRequestLine", "RFC 9112 2.2", "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"BareCrAtTheEnd", "RFC 9112 2.2", "GET / HTTP/1.1\r\nHost: h\r\n\rx"},
    {"CrCrLf", "RFC 9112 2.2", "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n"},
    {"NulInValue", "RFC 9110 5.5", with("A: b\0c\r\n"s)},
    {"NulInName", "RFC 9110 5.1", with("A\0: b\r\n"s)},
    {"NulInTarget", "RFC 9112 3.2", line("GET /\0 HTTP/1.1"s)},
    {"ControlInValue", "RFC 9110 5.5", with("A: \x01\r\n")},
    {"VerticalTab", "RFC 9110 5.5",
     with("Transfer-Encoding: \x0b"
          "chunked\r\n")},
    {"EscapeInValue", "RFC 9110 5.5", with("A: \x1b[31m\r\n")},
    {"DelInValue", "RFC 9110 5.5", with("A: \x7f\r\n")},
    {"DelInTarget", "RFC 9112 3.2", line("GET /\x7f HTTP/1.1")},
    {"ObsFoldSpace", "RFC 9112 5.2", with("A: b\r\n c\r\n")},
    {"ObsFoldTab", "RFC 9112 5.2", with("A: b\r\n\tc\r\n")},
    {"SpaceBeforeFirstField", "RFC 9112 2.2", "GET / HTTP/1.1\r\n Host: h\r\n\r\n"},
    {"SpaceBeforeColon", "RFC 9112 5.1", with("A : b\r\n")},
    {"TabBeforeColon", "RFC 9112 5.1", with("A\t: b\r\n")},
    {"SpaceInName", "RFC 9110 5.1", with("A b: c\r\n")},
    {"SpaceBeforeColonOfLength", "RFC 9112 5.1", with("Content-Length : 5\r\n")},
    {"SpaceInKnownName", "RFC 9110 5.1", with("Transfer Encoding: chunked\r\n")},
    {"EmptyName", "RFC 9110 5.1", with(": b\r\n")},
    {"NoColon", "RFC 9112 5", with("Ab\r\n")},
    {"BracketInName", "RFC 9110 5.1", with("A[b]: c\r\n")},
    {"SlashInName", "RFC 9110 5.1", with("A/b: c\r\n")},
    {"ObsTextInName", "RFC 9110 5.1", with("A\xe4: c\r\n")},
    {"TlsInsteadOfHttp", "RFC 9112 3", "\x16\x03\x01\x02\x0c\x01"s},
    {"ThreeEmptyLines", "RFC 9112 2.2", "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"BareLfBefore", "RFC 9112 2.2", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
    {"BareCrBefore", "RFC 9112 2.2", "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n"},
};

const Refusal kRequestLines[] = {
    {"Http09", "RFC 9112 3", "GET /\r\n"},
    {"NoTarget", "RFC 9112 3", line("GET HTTP/1.1")},
    {"TwoSpacesBeforeTarget", "RFC 9112 3", line("GET  / HTTP/1.1")},
    {"TwoSpacesBeforeVersion", "RFC 9112 3", line("GET /  HTTP/1.1")},
    {"TabInRequestLine", "RFC 9112 3", line("GET\t/ HTTP/1.1")},
    {"SpaceAtTheEnd", "RFC 9112 3", line("GET / HTTP/1.1 ")},
    {"SpaceAtTheStart", "RFC 9112 3", line(" GET / HTTP/1.1")},
    {"SpaceInTarget", "RFC 9112 3.2", line("GET /a b HTTP/1.1")},
    {"TabInTarget", "RFC 9112 3.2", line("GET /a\tb HTTP/1.1")},
    {"BadMethod", "RFC 9110 9.1", line("GE(T / HTTP/1.1")},
    {"UnknownMethod", "RFC 9110 9.1", line("FROB / HTTP/1.1"), ErrorCode::kNotImplemented},
    {"LowerCaseMethod", "RFC 9110 9.1", line("get / HTTP/1.1"), ErrorCode::kNotImplemented},
    {"LongerMethod", "RFC 9110 9.1", line("GETS / HTTP/1.1"), ErrorCode::kNotImplemented},
    {"RtspMethod", "RFC 9110 9.1", line("SETUP / HTTP/1.1"), ErrorCode::kNotImplemented},
    {"PriMethod", "RFC 9113 3.4", line("PRI / HTTP/1.1"), ErrorCode::kNotImplemented},
    {"Http2Preface", "RFC 9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
     ErrorCode::kVersionNotSupported},
    {"Http2Version", "RFC 9110 15.6.6", line("GET / HTTP/2.0"), ErrorCode::kVersionNotSupported},
    {"Http12Version", "RFC 9110 15.6.6", line("GET / HTTP/1.2"), ErrorCode::kVersionNotSupported},
    {"Http09Version", "RFC 9110 15.6.6", line("GET / HTTP/0.9"), ErrorCode::kVersionNotSupported},
    {"LowerCaseVersion", "RFC 9112 2.3", line("GET / http/1.1")},
    {"OtherProtocol", "RFC 9112 2.3", line("GET / RTSP/1.1")},
    {"LongVersion", "RFC 9112 2.3", line("GET / HTTP/1.10")},
    {"ShortVersion", "RFC 9112 2.3", line("GET / HTTP/1")},
    {"CommaVersion", "RFC 9112 2.3", line("GET / HTTP/1,1")},
    {"Fragment", "RFC 9112 3.2", line("GET /a#b HTTP/1.1")},
    {"FragmentInQuery", "RFC 9112 3.2", line("GET /a?b#c HTTP/1.1")},
    {"NonAsciiTarget", "RFC 3986 2", line("GET /\xc3\xa4 HTTP/1.1")},
    {"RelativeTarget", "RFC 9112 3.2", line("GET api HTTP/1.1")},
    {"OtherScheme", "RFC 9112 3.2.2", line("GET ftp://h/ HTTP/1.1")},
    {"SchemeWithoutAuthority", "RFC 9110 4.2.1", line("GET http:///a HTTP/1.1")},
    {"SchemeWithOneSlash", "RFC 9112 3.2.2", line("GET http:/a HTTP/1.1")},
    {"UserinfoInTarget", "RFC 9110 4.2.4", line("GET http://u:p@h/ HTTP/1.1")},
    {"BadPortInTarget", "RFC 3986 3.2.3", line("GET http://h:x/ HTTP/1.1")},
    {"BackslashInAuthority", "RFC 3986 3.2.2", line("GET http://h\\x/ HTTP/1.1")},
    {"AsteriskWithGet", "RFC 9112 3.2.4", line("GET * HTTP/1.1")},
    {"ConnectWithPath", "RFC 9112 3.2.3", line("CONNECT / HTTP/1.1")},
    {"ConnectWithoutPort", "RFC 9112 3.2.3", line("CONNECT h HTTP/1.1")},
};

std::string host(const std::string& value) {
  return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
}

const Refusal kHosts[] = {
    {"Missing", "RFC 9112 3.2", "GET / HTTP/1.1\r\nA: b\r\n\r\n"},
    {"NoFieldAtAll", "RFC 9112 3.2", "GET / HTTP/1.1\r\n\r\n"},
    {"MissingWithAbsoluteForm", "RFC 9112 3.2", "GET http://h/ HTTP/1.1\r\n\r\n"},
    {"Twice", "RFC 9112 3.2", "GET / HTTP/1.1\r\nHost: h\r\nhost: h\r\n\r\n"},
    {"TwiceIn10", "RFC 9110 5.3", "GET / HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n"},
    {"Empty", "RFC 9110 4.2.1", host("")},
    {"Userinfo", "RFC 9110 7.2", host("u@h")},
    {"Path", "RFC 9110 7.2", host("h/a")},
    {"Scheme", "RFC 9110 7.2", host("http://h")},
    {"List", "RFC 9110 7.2", host("a, b")},
    {"Space", "RFC 9110 7.2", host("a b")},
    {"PortLetters", "RFC 3986 3.2.3", host("h:80a")},
    {"PortTooLarge", "RFC 3986 3.2.3", host("h:65536")},
    {"PortTwice", "RFC 3986 3.2.3", host("h:80:80")},
    {"PortAlone", "RFC 9110 4.2.1", host(":80")},
    {"BareIpv6", "RFC 3986 3.2.2", host("2001:db8::1")},
    {"OpenBracket", "RFC 3986 3.2.2", host("[::1")},
    {"BadIpv6", "RFC 3986 3.2.2", host("[::g]")},
    {"TextAfterBracket", "RFC 3986 3.2.2", host("[::1]a")},
    {"BrokenTriplet", "RFC 3986 2.1", host("a%4")},
    {"NonAscii", "RFC 3986 3.2.2", host("\xc3\xa4")},
    {"Backslash", "RFC 3986 3.2.2", host("a\\b")},
    {"InvalidWithAbsoluteForm", "RFC 9112 3.2", "GET http://h/ HTTP/1.1\r\nHost: a b\r\n\r\n"},
    {"InvalidIn10", "RFC 9110 7.2", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n"},
};

constexpr ErrorCode kUnknownCoding = ErrorCode::kNotImplemented;

const Refusal kFraming[] = {
    {"LengthAndCoding", "RFC 9112 6.1",
     with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
    {"CodingAndLength", "RFC 9112 6.1",
     with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")},
    {"DifferingLengths", "RFC 9112 6.3", with("Content-Length: 5\r\nContent-Length: 6\r\n")},
    {"EqualLengths", "RFC 9110 8.6", with("Content-Length: 5\r\nContent-Length: 5\r\n")},
    {"LengthList", "RFC 9110 8.6", with("Content-Length: 5, 5\r\n")},
    {"LengthPlus", "RFC 9110 8.6", with("Content-Length: +5\r\n")},
    {"LengthMinus", "RFC 9110 8.6", with("Content-Length: -5\r\n")},
    {"LengthHex", "RFC 9110 8.6", with("Content-Length: 0x5\r\n")},
    {"LengthSpace", "RFC 9110 8.6", with("Content-Length: 5 5\r\n")},
    {"LengthEmpty", "RFC 9110 8.6", with("Content-Length: \r\n")},
    {"LengthFraction", "RFC 9110 8.6", with("Content-Length: 5.0\r\n")},
    {"LengthOverflow", "RFC 9110 8.6", with("Content-Length: 18446744073709551616\r\n")},
    {"LengthObsText", "RFC 9110 8.6", with("Content-Length: 5\xa0\r\n")},
    {"CodingIn10", "RFC 9112 6.1",
     "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"ChunkedTwice", "RFC 9112 7.1", with("Transfer-Encoding: chunked, chunked\r\n")},
    {"ChunkedTwiceInTwoFields", "RFC 9112 7.1",
     with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
    {"ChunkedNotLast", "RFC 9112 6.3", with("Transfer-Encoding: chunked, gzip\r\n")},
    {"ChunkedNotLastInTwoFields", "RFC 9112 6.3",
     with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")},
    {"ChunkedComma", "RFC 9112 7", with("Transfer-Encoding: chunked,\r\n")},
    {"CommaChunked", "RFC 9112 7", with("Transfer-Encoding: ,chunked\r\n")},
    {"ChunkedQuoted", "RFC 9112 7", with("Transfer-Encoding: \"chunked\"\r\n")},
    {"CodingEmpty", "RFC 9112 7", with("Transfer-Encoding:\r\n")},
    {"CodingObsText", "RFC 9112 7", with("Transfer-Encoding: chunked\xa0\r\n")},
    {"CodingAndEmptyCoding", "RFC 9112 7",
     with("Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n")},
    {"CodingUnknown", "RFC 9112 6.1", with("Transfer-Encoding: gzip\r\n"), kUnknownCoding},
    {"CodingUnknownThenChunked", "RFC 9112 6.1", with("Transfer-Encoding: gzip, chunked\r\n"),
     kUnknownCoding},
    {"CodingIdentity", "RFC 9112 7", with("Transfer-Encoding: identity\r\n"), kUnknownCoding},
    {"CodingAlmostChunked", "RFC 9112 6.1", with("Transfer-Encoding: xchunked\r\n"),
     kUnknownCoding},
    {"ChunkedParameter", "RFC 9112 7.1", with("Transfer-Encoding: chunked;a=b\r\n"),
     kUnknownCoding},
    {"ExpectUnknown", "RFC 9110 10.1.1", with("Expect: magic\r\n"), ErrorCode::kExpectationFailed},
    {"ExpectTwo", "RFC 9110 10.1.1", with("Expect: 100-continue, magic\r\n"),
     ErrorCode::kExpectationFailed},
    {"ExpectTwice", "RFC 9110 10.1.1", with("Expect: 100-continue\r\nExpect: 100-continue\r\n"),
     ErrorCode::kExpectationFailed},
};

const auto kName = [](const testing::TestParamInfo<Refusal>& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Lines, RequestRefusal, testing::ValuesIn(kLines), kName);
INSTANTIATE_TEST_SUITE_P(RequestLine, RequestRefusal, testing::ValuesIn(kRequestLines), kName);
INSTANTIATE_TEST_SUITE_P(Host, RequestRefusal, testing::ValuesIn(kHosts), kName);
INSTANTIATE_TEST_SUITE_P(Framing, RequestRefusal, testing::ValuesIn(kFraming), kName);

ErrorCode code_of(std::string_view wire, size_t piece_bytes) {
  RequestHead head;
  RequestReader reader(head);
  while (!wire.empty()) {
    const Result<size_t> fed = reader.feed(wire.substr(0, piece_bytes));
    if (!fed) return fed.error().code;
    wire.remove_prefix(*fed);
    if (reader.complete()) break;
  }
  return ErrorCode::kNone;
}

void expect_code(const std::string& wire, ErrorCode code) {
  for (const size_t piece_bytes : {size_t{1}, size_t{1460}, wire.size()}) {
    EXPECT_EQ(code_of(wire, piece_bytes), code) << "pieces of " << piece_bytes;
  }
}

TEST(RequestLimits, RequestLineUpTo16KiB) {
  const std::string frame = "GET / HTTP/1.1";
  const std::string path(limits::kRequestLineBytesMax - frame.size(), 'a');
  expect_code("GET /" + path + " HTTP/1.1\r\nHost: h\r\n\r\n", ErrorCode::kNone);
  expect_code("GET /" + path + "a HTTP/1.1\r\nHost: h\r\n\r\n", ErrorCode::kUriTooLong);
}

TEST(RequestLimits, RequestLineWithoutEndIsRefusedEarly) {
  expect_code("GET /" + std::string(limits::kRequestLineBytesMax, 'a'), ErrorCode::kUriTooLong);
}

TEST(RequestLimits, HeadUpTo96KiB) {
  const std::string frame = "GET / HTTP/1.1\r\nHost: h\r\nA: \r\n\r\n";
  const std::string value(limits::kHeadBytesMax - frame.size(), 'a');
  expect_code("GET / HTTP/1.1\r\nHost: h\r\nA: " + value + "\r\n\r\n", ErrorCode::kNone);
  expect_code("GET / HTTP/1.1\r\nHost: h\r\nA: " + value + "a\r\n\r\n", ErrorCode::kHeadTooLarge);
  expect_code("GET / HTTP/1.1\r\nHost: h\r\nA: " + value + value, ErrorCode::kHeadTooLarge);
}

TEST(RequestLimits, FieldsUpTo128) {
  std::string wire = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (size_t i = 1; i < limits::kHeaderCountMax; ++i) wire += "A: b\r\n";
  expect_code(wire + "\r\n", ErrorCode::kNone);
  expect_code(wire + "A: b\r\n\r\n", ErrorCode::kHeadTooLarge);
}

}  // namespace kg::http::request_refusal_test
