#include "proxy/http/cookie.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kg::http::cookie_test {

std::string seen(const std::vector<std::string>& fields, std::string_view name = "session") {
  RequestHead head;
  head.headers.push_back({"Host", "ep.test"});
  for (const std::string& field : fields) head.headers.push_back({"cookie", field});
  const Result<std::string_view> found = cookie(head, name);
  if (!found) return std::string(found.error().row().label) + ": " + found.error().detail;
  return std::string(*found);
}

TEST(Cookie, IsFoundAmongOthersWhateverTheyHold) {
  EXPECT_EQ(seen({"session=abc.def"}), "abc.def");
  EXPECT_EQ(seen({"a=1; session=x; b=2"}), "x");
  EXPECT_EQ(seen({"a={\"k\": [1, 2]}; session=x;b"}), "x");
  EXPECT_EQ(seen({"a=1;session=x"}), "x");
  EXPECT_EQ(seen({"a=1", "session=x"}), "x");
  EXPECT_EQ(seen({"session=x=y=="}), "x=y==");
  EXPECT_EQ(seen({"session=\"x\""}), "x");
}

TEST(Cookie, NamesAreComparedByteByByte) {
  EXPECT_EQ(seen({"Session=x"}), "");
  EXPECT_EQ(seen({"xsession=x; session.=y; session =z"}), "");
  EXPECT_EQ(seen({"=session=x"}), "");
  EXPECT_EQ(seen({"a=session=x"}), "");
  EXPECT_EQ(seen({"session"}), "");
  EXPECT_EQ(seen({}), "");
  EXPECT_EQ(seen({"__Host-kg=x"}, "__Host-kg"), "x");
}

TEST(Cookie, TwiceIsRefusedWhereverItStands) {
  const std::string twice = "bad_request: the session cookie twice";
  EXPECT_EQ(seen({"session=x; session=x"}), twice);
  EXPECT_EQ(seen({"session=; session=x"}), twice);
  EXPECT_EQ(seen({"session=x", "a=1; session=y"}), twice);
}

TEST(Cookie, AValueIsMadeOfCookieOctets) {
  for (const std::string bad :
       {"a b", "a,b", "a\\b", "a\"b", "\"a", "\"", "a\tb", "a\x7f", "\xc3\xa9"}) {
    EXPECT_EQ(seen({"session=" + bad}), "bad_request: a session cookie that is no cookie value")
        << bad;
  }
}

TEST(Cookie, ANameIsAToken) {
  EXPECT_TRUE(is_cookie_name("__Host-kernelgate"));
  for (const char* bad : {"", "a b", "a;b", "a=b", "a,b"}) EXPECT_FALSE(is_cookie_name(bad)) << bad;
}

}  // namespace kg::http::cookie_test
