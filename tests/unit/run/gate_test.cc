#include "routing/controller/run/gate.h"

#include <gmock/gmock.h>

#include "proxy/tls/certificate.h"
#include "tests/unit/routing/announced_items.h"

namespace kg::controller::gate_test {

using nlohmann::json;
using routing::announced_payload;
using routing::endpoint_item;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class GateTest : public testing::Test {
 protected:
  // Ids of what passes, in order.
  std::vector<std::string> pass(std::vector<feed::Item> items,
                                std::vector<std::string> removed = {}) {
    removed_ = std::move(removed);
    gate_.pass(items, removed_);
    std::vector<std::string> ids;
    ids.reserve(items.size());
    for (const feed::Item& item : items) ids.push_back(item.endpoint);
    return ids;
  }
  static feed::Item good(const std::string& id, const std::string& host) {
    json payload = announced_payload(id);
    payload["routes"][0]["host"] = host;
    return endpoint_item(payload);
  }
  static feed::Item bad(const std::string& id) {
    json payload = announced_payload(id);
    payload["files"]["token"] = "two words";
    return endpoint_item(payload);
  }
  static feed::Item certificate(const std::string& name, const std::string& host) {
    const auto made = tls::CertificateText::self_signed();
    return routing::certificate_item(name, {{"schema", 1},
                                            {"kind", "certificate"},
                                            {"namespace", "analytics"},
                                            {"hosts", {host}},
                                            {"chain", made.chain},
                                            {"key", std::string(made.key.reveal())}});
  }
  static std::string key(const std::string& id) { return "endpoint/analytics/" + id; }

  Gate gate_;
  std::vector<std::string> removed_;
};

TEST_F(GateTest, WhatIsRefusedKeepsItsLastGoodVersion) {
  EXPECT_THAT(pass({good("a", "a.test"), good("b", "b.test")}), ElementsAre("a", "b"));
  EXPECT_THAT(pass({bad("a"), good("b", "moved.test"), bad("c")}), ElementsAre("b"));
  EXPECT_THAT(removed_, IsEmpty());
  const auto all = gate_.items();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(*all[0].payload, *good("a", "a.test").payload);
  EXPECT_EQ(*all[1].payload, *good("b", "moved.test").payload);
  EXPECT_THAT(gate_.refused().at(key("a")), HasSubstr("gateway.token_file"));
  EXPECT_EQ(gate_.refused().size(), 2U);
  EXPECT_THAT(pass({good("a", "new.test")}, {key("c")}), ElementsAre("a"));
  EXPECT_THAT(gate_.refused(), IsEmpty());
}

TEST_F(GateTest, ManyAreTriedInSlices) {
  const std::vector<feed::Item> items{good("a", "a.test"), bad("b"), good("c", "c.test")};
  EXPECT_FALSE(gate_.try_items(items, 2));
  EXPECT_TRUE(gate_.try_items(items, 2));
  EXPECT_THAT(pass(items), ElementsAre("a", "c"));
  EXPECT_EQ(gate_.refused().size(), 1U);
  EXPECT_THAT(pass({bad("a"), good("c", "new.test")}), ElementsAre("c")) << "with verdicts anew";
}

TEST_F(GateTest, CertificatesAreCounted) {
  pass({good("a", "a.test"), certificate("one", "a.test"), certificate("two", "b.test")});
  EXPECT_EQ(gate_.certificates(), 2U);
  pass({}, {"certificate/analytics/one"});
  EXPECT_EQ(gate_.certificates(), 1U);
}

TEST_F(GateTest, WhatGoesIsForgotten) {
  pass({good("a", "a.test"), bad("b")});
  pass({}, {key("a"), key("b")});
  EXPECT_THAT(removed_, ElementsAre(key("a"), key("b")));
  EXPECT_THAT(gate_.items(), IsEmpty());
  EXPECT_THAT(gate_.refused(), IsEmpty());
}

// What its owner gave up and another now has cannot be served for both.
TEST_F(GateTest, TheLastGoodVersionYieldsToWhoHasItsRouteNow) {
  pass({good("a", "a.test"), good("b", "b.test")});
  EXPECT_THAT(pass({bad("a"), good("b", "a.test")}), ElementsAre("b"));
  EXPECT_THAT(removed_, ElementsAre(key("a")));
  EXPECT_EQ(gate_.items().size(), 1U);
  EXPECT_THAT(pass({good("c", "c.test")}), ElementsAre("c"));
  EXPECT_THAT(removed_, IsEmpty()) << "once";
}

}  // namespace kg::controller::gate_test
