#include "proxy/exchange/origin.h"

#include <gtest/gtest.h>

#include <utility>

namespace kg::exchange::origin_test {

using http::Method;

struct Request {
  Request(std::string_view host, std::vector<http::Header> fields) {
    head.method = Method::kPost;
    head.authority = host;
    head.headers = std::move(fields);
  }
  http::RequestHead head;
};

PageOrigin judged(std::string_view host, std::vector<http::Header> fields,
                  const AllowedOrigins& allowed = {}) {
  const Request request(host, std::move(fields));
  return page_origin(request.head, allowed);
}

TEST(PageOrigin, TheHostThatItCameToIsItsOwn) {
  const auto own = [](std::string_view host, std::string_view origin) {
    return judged(host, {{"Origin", origin}}) == PageOrigin::kOwn;
  };
  EXPECT_TRUE(own("lab.example.com", "https://lab.example.com"));
  EXPECT_TRUE(own("LAB.example.com:443", "https://lab.example.com"));
  EXPECT_TRUE(own("lab.example.com:18888", "https://lab.example.com:18888"));  // an ALB's own port
  EXPECT_TRUE(own("[::1]:8443", "https://[::1]:8443"));
  EXPECT_FALSE(own("lab.example.com:18888", "https://lab.example.com"));
  EXPECT_FALSE(own("lab.example.com", "https://lab.example.com:18888"));
  EXPECT_FALSE(own("lab.example.com", "http://lab.example.com"));
  EXPECT_FALSE(own("lab.example.com", "https://b.example.com"));
  EXPECT_FALSE(own("lab.example.com", "https://lab.example.com.evil.test"));
  EXPECT_FALSE(own("lab.example.com", "https://example.com"));
  EXPECT_FALSE(own("", "https://lab.example.com"));
}

TEST(PageOrigin, WhatIsListedIsComparedAsText) {
  const AllowedOrigins allowed{"https://lab.example.com", "https://dev.example.com:8888"};
  const auto listed = [&](std::string_view origin) {
    return judged("ep.test", {{"Origin", origin}}, allowed) == PageOrigin::kListed;
  };
  EXPECT_TRUE(listed("https://lab.example.com"));
  EXPECT_TRUE(listed("https://dev.example.com:8888"));
  EXPECT_FALSE(listed("https://dev.example.com"));
  EXPECT_FALSE(listed("https://lab.example.com:8888"));
  EXPECT_FALSE(listed("https://LAB.example.com"));
  EXPECT_FALSE(listed("null"));
}

TEST(PageOrigin, WhatIsNoOriginIsForeign) {
  for (const char* bad : {"null", "x", "file://", "https://ep.test/", "https://EP.test"}) {
    EXPECT_EQ(judged("ep.test", {{"Origin", bad}}), PageOrigin::kForeign) << bad;
  }
  EXPECT_EQ(judged("ep.test", {{"Origin", ""}}), PageOrigin::kForeign);
  EXPECT_EQ(judged("ep.test", {{"Origin", "https://ep.test"}, {"origin", "https://ep.test"}}),
            PageOrigin::kForeign);
}

TEST(PageOrigin, WithoutItTheSiteOfTheFetchTells) {
  EXPECT_EQ(judged("ep.test", {}), PageOrigin::kNone);
  EXPECT_EQ(judged("ep.test", {{"Sec-Fetch-Site", "same-origin"}}), PageOrigin::kNone);
  EXPECT_EQ(judged("ep.test", {{"Sec-Fetch-Site", "none"}}), PageOrigin::kNone);
  EXPECT_EQ(judged("ep.test", {{"Sec-Fetch-Site", "cross-site"}}), PageOrigin::kForeign);
  EXPECT_EQ(judged("ep.test", {{"Sec-Fetch-Site", "same-site"}}), PageOrigin::kForeign);
  // A page of a listed origin is of another site, too.
  EXPECT_EQ(judged("ep.test", {{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://a.test"}},
                   {"https://a.test"}),
            PageOrigin::kListed);
}

TEST(Acts, EverythingButReading) {
  for (const auto& [method, does] : {std::pair{Method::kGet, false},
                                     {Method::kHead, false},
                                     {Method::kOptions, false},
                                     {Method::kPost, true},
                                     {Method::kPut, true},
                                     {Method::kPatch, true},
                                     {Method::kDelete, true},
                                     {Method::kOther, true}}) {
    http::RequestHead head;
    head.method = method;
    EXPECT_EQ(acts(head), does);
  }
  http::RequestHead upgrade;
  upgrade.method = Method::kGet;
  upgrade.upgrade_websocket = true;
  EXPECT_TRUE(acts(upgrade));
}

TEST(Preflight, AsksInAdvance) {
  http::RequestHead head;
  head.method = Method::kOptions;
  head.headers = {{"Origin", "https://a.test"}, {"Access-Control-Request-Method", "POST"}};
  EXPECT_TRUE(is_preflight(head));
  head.headers.pop_back();
  EXPECT_FALSE(is_preflight(head));
  head.headers = {{"Access-Control-Request-Method", "POST"}};
  EXPECT_FALSE(is_preflight(head));
  head.headers = {{"Origin", "https://a.test"}, {"Access-Control-Request-Method", "POST"}};
  head.method = Method::kGet;
  EXPECT_FALSE(is_preflight(head));
}

}  // namespace kg::exchange::origin_test
