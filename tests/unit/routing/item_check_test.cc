#include "routing/item_check.h"

#include <gmock/gmock.h>

#include "routing/route_book.h"
#include "tests/unit/routing/announced_items.h"

namespace kg::routing::item_check_test {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class ItemCheckTest : public testing::Test {
 protected:
  // What a proxy says, after the key.
  std::string proxy_says(const feed::Item& item) {
    RouteBook book(slots_, sources_, pods_, 2);
    book.adopt(std::make_shared<const RouteSnapshot>(1, std::vector<Route>{}), {});
    RouteBook::Change change;
    return book.update({&item, 1}, {}, false, change);
  }

  metrics::EndpointSlots slots_{10};
  fetch::Fetcher fetcher_;
  auth::Sources sources_{fetcher_};
  PodBook pods_;
  ItemCheck check_;
};

TEST_F(ItemCheckTest, WhatAProxyRefusesIsRefusedHere) {
  json payload = announced_payload("abc");
  const Checked good = check_.check(endpoint_item(payload));
  EXPECT_EQ(good.problem, "");
  EXPECT_THAT(good.claims, ElementsAre("id abc", "abc.test"));
  EXPECT_EQ(proxy_says(endpoint_item(payload)), "");
  const auto both_refuse = [&](const json& bad, const char* problem) {
    EXPECT_THAT(check_.problem_of(endpoint_item(bad)), HasSubstr(problem));
    EXPECT_THAT(proxy_says(endpoint_item(bad)), HasSubstr(problem));
  };
  json bad = payload;
  bad["files"]["token"] = std::string(8'193, 't');
  both_refuse(bad, "gateway.token_file");
  bad = payload;
  bad["files"]["keys"] = "no keys";
  both_refuse(bad, "sessions.jwt");
  bad = payload;
  bad["config"]["gateway"]["tls"] = {{"ca_file", "feed:ca"}};
  bad["files"]["ca"] = "no PEM";
  both_refuse(bad, "feed:ca holds no usable certificates");
  bad["pods"] = json::array();
  both_refuse(bad, "feed:ca holds no usable certificates");
}

TEST_F(ItemCheckTest, AnUnknownKeyIsRefusedHereAndIgnoredByProxies) {
  json payload = announced_payload("abc");
  payload["config"]["sessions"]["jwt"]["x"] = true;
  EXPECT_THAT(check_.problem_of(endpoint_item(payload)), HasSubstr("sessions.jwt.x: unknown key"));
  EXPECT_EQ(proxy_says(endpoint_item(payload)), "");
}

TEST_F(ItemCheckTest, AnEndpointWhoseGatewayJudgesNeedsNoPodYet) {
  json payload = announced_payload("abc");
  payload["config"]["sessions"] = {
      {"authenticators", json::array({{{"delegated", {{"gateway", "/api/kernelspecs"}}}}})}};
  payload["files"].erase("keys");
  EXPECT_EQ(check_.problem_of(endpoint_item(payload)), "");
  payload["pods"] = json::array();
  EXPECT_EQ(check_.problem_of(endpoint_item(payload)), "");
  EXPECT_EQ(proxy_says(endpoint_item(payload)), "");
}

TEST_F(ItemCheckTest, CertificatesAndRevocationsToo) {
  const tls::CertificateFolder folder;
  json payload = certificate_payload(folder.make("a", "DNS:a.test"), {"a.test", "*.b.test"});
  const Checked good = check_.check(certificate_item("x", payload));
  EXPECT_EQ(good.problem, "");
  EXPECT_THAT(good.claims, ElementsAre("certificate a.test", "certificate *.b.test"));
  payload["key"] = "none";
  EXPECT_THAT(check_.problem_of(certificate_item("x", payload)), HasSubstr("tls.key"));
  const auto text = std::make_shared<const std::string>("[");
  EXPECT_EQ(check_.problem_of({"revocations", "", "", text}), "cannot be read");
  EXPECT_EQ(check_.problem_of({"other/kind", "", "", text}), "") << "proxies leave it alone";
}

TEST_F(ItemCheckTest, ManyOfThemLeaveNothingBehind) {
  json payload = announced_payload("abc");
  payload["config"]["sessions"]["jwt"].erase("keys_file");
  payload["config"]["sessions"]["jwt"]["keys_url"] = "https://issuer.test/keys";
  for (int i = 0; i < 600; ++i) {
    payload["config"]["sessions"]["jwt"]["audience"] = "a" + std::to_string(i);
    ASSERT_EQ(check_.problem_of(endpoint_item(payload)), "");
  }
}

}  // namespace kg::routing::item_check_test
