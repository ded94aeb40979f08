#include "routing/route_book.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/routing/announced_payload.h"

namespace kg::routing::route_book_test {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string key_of(const std::string& id) { return "endpoint/analytics/" + id; }

feed::Item item_of(const json& payload) {
  const std::string id = payload.at("id");
  return {key_of(id), "analytics", id, std::make_shared<const std::string>(payload.dump())};
}
feed::Item item(const std::string& id) { return item_of(announced_payload(id)); }

class RouteBookTest : public testing::Test {
 protected:
  // A configuration file with one endpoint, on FILE.test.
  RouteBookTest() { adopt("file", "file.test"); }

  void adopt(const std::string& id, const std::string& host) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->id = id;
    book_.adopt(std::make_shared<const RouteSnapshot>(book_.next_version(),
                                                      std::vector<Route>{{host, "", endpoint}}),
                {endpoint});
  }
  std::string update(std::vector<feed::Item> upserts, std::vector<std::string> deletes = {},
                     bool whole = false) {
    change_ = {};
    return book_.update(upserts, deletes, whole, change_);
  }
  // Ids, "-" for no route.
  std::string at(const std::string& host) const {
    const Match match = book_.snapshot()->match(host, "/");
    return match.endpoint == nullptr ? "-" : (*match.endpoint)->id;
  }
  const Endpoint* endpoint_at(const std::string& host) const {
    const Match match = book_.snapshot()->match(host, "/");
    return match.endpoint == nullptr ? nullptr : match.endpoint->get();
  }

  metrics::EndpointSlots slots_{10};
  fetch::Fetcher fetcher_;
  auth::Sources sources_{fetcher_};
  PodBook pods_;
  RouteBook book_{slots_, sources_, pods_, 2};
  RouteBook::Change change_;
};

// Its requests get 503 until there is a pod that can be asked; before, it held up all others.
TEST_F(RouteBookTest, AGatewayWithoutPodsThatDecidesOfSessionsIsNobodyToAsk) {
  json payload = announced_payload("a");
  payload["config"]["sessions"] = {
      {"authenticators", json::array({{{"delegated", {{"gateway", "/api/kernelspecs"}}}}})}};
  const json pods = payload["pods"];
  payload["pods"] = json::array();
  EXPECT_EQ(update({item_of(payload), item("b")}), "");
  EXPECT_EQ(at("a.test") + at("b.test"), "ab");
  payload["pods"] = pods;
  EXPECT_EQ(update({item_of(payload)}), "");
  EXPECT_EQ(endpoint_at("a.test")->pods.size(), 1U);
}

TEST_F(RouteBookTest, AnUpdateAddsChangesAndRemoves) {
  EXPECT_EQ(update({item("a"), item("b")}), "");
  EXPECT_EQ(at("a.test") + at("b.test") + at("file.test"), "abfile");
  EXPECT_EQ(book_.size(), 3U);
  EXPECT_EQ(change_.fresh.size(), 2U);
  EXPECT_THAT(change_.gone, IsEmpty());
  const uint64_t version = book_.snapshot()->version();
  const Endpoint* b = endpoint_at("b.test");
  json moved = announced_payload("a");
  moved["routes"][0]["host"] = "moved.test";
  EXPECT_EQ(update({item_of(moved)}), "");
  EXPECT_EQ(at("a.test") + at("moved.test"), "-a");
  EXPECT_EQ(endpoint_at("b.test"), b) << "it was not touched";
  EXPECT_EQ(book_.snapshot()->version(), version + 1);
  EXPECT_EQ(update({}, {key_of("a"), key_of("never")}), "");
  EXPECT_EQ(at("moved.test"), "-");
  EXPECT_EQ(change_.gone.size(), 1U);
}

TEST_F(RouteBookTest, AWholeUpdateRemovesWhatItDoesNotName) {
  EXPECT_EQ(update({item("a"), item("b")}), "");
  const Endpoint* b = endpoint_at("b.test");
  EXPECT_EQ(update({item("b"), item("c")}, {}, true), "");
  EXPECT_EQ(at("a.test") + at("b.test") + at("c.test"), "-bc");
  EXPECT_EQ(endpoint_at("b.test"), b) << "the same payload changes nothing";
  EXPECT_EQ(update({}, {}, true), "");
  EXPECT_EQ(at("b.test") + at("file.test"), "-file");
}

TEST_F(RouteBookTest, WhatIsNoEndpointIsLeftToOthers) {
  EXPECT_EQ(update({{"certificate/analytics/x", "analytics", "",
                     std::make_shared<const std::string>("anything")}}),
            "");
  EXPECT_EQ(book_.size(), 1U);
}

TEST_F(RouteBookTest, ARefusedUpdateChangesNothing) {
  EXPECT_EQ(update({item("a")}), "");
  const auto before = book_.snapshot();
  json bad = announced_payload("c");
  bad["config"]["gateway"]["replication"] = "perhaps";
  EXPECT_THAT(update({item("b"), item_of(bad)}, {key_of("a")}),
              HasSubstr("endpoint/analytics/c: config gateway.replication"));
  json no_token = announced_payload("c");
  no_token["files"]["token"] = "two words";
  EXPECT_THAT(update({item("b"), item_of(no_token)}), HasSubstr("gateway.token_file"));
  EXPECT_EQ(book_.snapshot(), before);
  EXPECT_EQ(at("a.test") + at("b.test"), "a-");
}

TEST_F(RouteBookTest, TwoOfOneRouteOrIdAreRefused) {
  EXPECT_EQ(update({item("a")}), "");
  json thief = announced_payload("b");
  thief["routes"][0]["host"] = "a.test";
  EXPECT_EQ(update({item_of(thief)}), "endpoint/analytics/b: has a route of endpoint/analytics/a");
  feed::Item same = item("a");
  same.key = "endpoint/analytics/other";
  EXPECT_EQ(update({same}), "endpoint/analytics/other: has the id of endpoint/analytics/a");
  EXPECT_EQ(update({item_of(thief), item("a")}, {}, true),
            "endpoint/analytics/b: has a route of endpoint/analytics/a");
  EXPECT_EQ(update({item_of(thief)}, {key_of("a")}), "") << "it passed from one to the other";
  EXPECT_EQ(at("a.test"), "b");
}

TEST_F(RouteBookTest, TheFileComesFirst) {
  EXPECT_EQ(update({item("file"), item("a")}), "");
  EXPECT_EQ(at("file.test"), "file");
  json theirs = announced_payload("b");
  theirs["routes"][0]["host"] = "file.test";
  EXPECT_EQ(update({item_of(theirs)}, {key_of("file")}), "");
  EXPECT_EQ(at("file.test"), "file");
  EXPECT_EQ(update({}, {key_of("b")}), "");
  EXPECT_EQ(at("file.test"), "file") << "it is the file's";
  adopt("a", "other.test");
  EXPECT_EQ(at("a.test") + at("other.test"), "-a");
  adopt("file", "file.test");
  EXPECT_EQ(at("a.test"), "a") << "what was announced is still there";
}

// What is known of sessions lives on, and no open WebSocket is judged anew for a pod.
TEST_F(RouteBookTest, AChangeOfPodsLeavesSessionsAlone) {
  EXPECT_EQ(update({item("a")}), "");
  const auth::SessionsRef before = endpoint_at("a.test")->sessions;
  json more = announced_payload("a");
  more["pods"].push_back({{"name", "jeg-1"},
                          {"uid", "0b0e7d0c-77aa-4a6e-b3f4-4d6e0c7c0009"},
                          {"address", "10.0.0.2:8888"},
                          {"ready", false},
                          {"serving", true}});
  EXPECT_EQ(update({item_of(more)}), "");
  EXPECT_EQ(endpoint_at("a.test")->pods.size(), 2U);
  EXPECT_EQ(endpoint_at("a.test")->sessions, before);
  EXPECT_THAT(change_.judged_anew, IsEmpty());
  more["config"]["sessions"]["allow"] = {{"groups", json::array({"analysts"})}};
  EXPECT_EQ(update({item_of(more)}), "");
  EXPECT_NE(endpoint_at("a.test")->sessions, before);
  EXPECT_THAT(change_.judged_anew, ElementsAre("a"));
  EXPECT_EQ(update({}, {key_of("a")}), "");
  EXPECT_THAT(change_.judged_anew, ElementsAre("a"));
}

TEST_F(RouteBookTest, ReadinessCountsOnceItServes) {
  EXPECT_EQ(update({item("a")}), "");
  const PodFactsRef facts = endpoint_at("a.test")->pods[0].facts;
  json leaving = announced_payload("a");
  leaving["pods"][0]["ready"] = false;
  json bad = announced_payload("b");
  bad["schema"] = 9;
  EXPECT_NE(update({item_of(leaving), item_of(bad)}), "");
  EXPECT_TRUE(facts->takes_new());
  EXPECT_EQ(update({item_of(leaving)}), "");
  EXPECT_FALSE(facts->takes_new());
}

}  // namespace kg::routing::route_book_test
