#include "proxy/base/ascii.h"

#include <gtest/gtest.h>

#include <vector>

namespace kg::ascii::ascii_test {

using namespace std::string_literals;

TEST(Ascii, ComparesWithoutCase) {
  EXPECT_TRUE(equals_ignore_case("Content-LENGTH", "content-length"));
  EXPECT_TRUE(equals_ignore_case("", ""));
  EXPECT_FALSE(equals_ignore_case("a", "ab"));
  EXPECT_FALSE(equals_ignore_case("[", "{")) << "32 apart but no letters";
  EXPECT_FALSE(equals_ignore_case("\xc4", "\xe4")) << "not ASCII";
  EXPECT_TRUE(starts_with_ignore_case("X-Amzn-Oidc-Data", "x-amzn-oidc-"));
  EXPECT_FALSE(starts_with_ignore_case("X-Amzn", "x-amzn-oidc-"));
}

TEST(Ascii, LowersLettersOnly) { EXPECT_EQ(lower("A-Z_09\xc4"), "a-z_09\xc4"); }

TEST(Ascii, TrimsOptionalWhiteSpace) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim("\r\n"), "\r\n");
}

TEST(Ascii, ParsesDecimalsStrictly) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("007"), 7U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", "+1", "-1", " 1", "1 ", "0x1", "1.0", "18446744073709551616",
                           "18446744073709551620", "99999999999999999999"}) {
    EXPECT_EQ(parse_decimal(text), std::nullopt) << text;
  }
}

TEST(Ascii, WalksListsWithoutEmptyElements) {
  std::vector<std::string> seen;
  for_each_element(" a ,,b c,\t, d", [&](std::string_view element) { seen.emplace_back(element); });
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b c", "d"}));
}

TEST(Ascii, DecodesForms) {
  EXPECT_EQ(form_decode("a+b%20c%2B%2f"), "a b c+/");
  EXPECT_EQ(form_decode("%00"), "\0"s);
  EXPECT_EQ(form_decode(""), "");
  for (const char* text : {"%", "%2", "a%2", "%zz", "%2g", "%-1"}) {
    EXPECT_EQ(form_decode(text), std::nullopt) << text;
  }
}

TEST(Ascii, EncodesAllButUnreserved) {
  std::string out = "x";
  percent_encode("aZ09-._~ /+&=%\xc3\xa4", out);
  EXPECT_EQ(out, "xaZ09-._~%20%2F%2B%26%3D%25%C3%A4");
  EXPECT_EQ(form_decode(out.substr(1)), "aZ09-._~ /+&=%\xc3\xa4");
}

TEST(Base64, MatchesTheRfc) {  // RFC 4648 section 10
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64_encode(bytes), text);
    const std::string unpadded = std::string(text).substr(0, std::string(text).find('='));
    EXPECT_EQ(base64url_encode(bytes), unpadded);
    EXPECT_EQ(base64url_decode(unpadded), bytes);
  }
  EXPECT_EQ(base64_encode("\xfb\xff"), "+/8=");
  EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
  EXPECT_EQ(base64url_decode("-_8"), "\xfb\xff");
}

TEST(Base64, DecodingRefusesOtherSpellings) {
  for (const char* text :
       {"Zg==", "Zm8=", "Z", "Zm9vY", "Zh", "Zm9", "+/8", "Zm 8", "Zm8\n", "Zm\xc3\xa4"}) {
    EXPECT_EQ(base64url_decode(text), std::nullopt) << text;
  }
}

TEST(Base64, RoundTripsEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(static_cast<char>(i));
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
  }
}

std::string json_of(std::string_view text) {
  std::string out;
  json_quote(text, out);
  return out;
}

TEST(JsonQuote, Escapes) {
  EXPECT_EQ(json_of(""), R"("")");
  EXPECT_EQ(json_of("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_of("\n\r\t\x01\x1f\x7f\0"s), R"("\n\r\t\u0001\u001f\u007f\u0000")");
}

TEST(JsonQuote, KeepsUtf8AndReplacesWhatIsNot) {
  const std::string valid = "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf";
  EXPECT_EQ(json_of(valid), "\"" + valid + "\"");
  const std::string bad = "\xef\xbf\xbd";
  const std::pair<std::string, int> cases[] = {{"\xff", 1},
                                               {"\xc3", 1},
                                               {"\x80", 1},
                                               {"\xc0\xaf", 2},  // overlong
                                               {"\xe0\x80\x80", 3},
                                               {"\xed\xa0\x80", 3},  // surrogate
                                               {"\xf4\x90\x80\x80", 4},
                                               {"\xe2\x82", 2}};
  for (const auto& [text, count] : cases) {
    std::string expected = "\"";
    for (int i = 0; i < count; ++i) expected += bad;
    EXPECT_EQ(json_of(text + "x"), expected + "x\"");
  }
}

}  // namespace kg::ascii::ascii_test
