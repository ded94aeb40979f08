#include "routing/announced.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/unit/routing/announced_payload.h"

namespace kg::routing::announced_test {

using nlohmann::json;

json good() { return announced_payload("abc123"); }

using testing::HasSubstr;

std::string problem_of(const json& payload) { return read_announced(payload.dump()).problem; }

// What is wrong after one change, by JSON pointer.
std::string problem_with(const char* pointer, const json& value) {
  json payload = good();
  payload[json::json_pointer(pointer)] = value;
  return problem_of(payload);
}
std::string problem_without(const char* parent, const char* name) {
  json payload = good();
  payload[json::json_pointer(parent)].erase(name);
  return problem_of(payload);
}

TEST(Announced, CarriesAnEndpointWithItsRoutesPodsAndTexts) {
  json payload = good();
  payload["routes"].push_back({{"host", "*.b.test"}, {"path", "/Lab/x"}, {"type", "Exact"}});
  payload["routes"].push_back({{"host", ""}, {"path", "/p/"}, {"type", "Prefix"}});
  payload["a member of later"] = {{"x", 1}};
  const ReadAnnounced read = read_announced(payload.dump());
  ASSERT_TRUE(read.endpoint) << read.problem;
  EXPECT_EQ(read.endpoint->endpoint.id, "abc123");
  EXPECT_TRUE(read.endpoint->endpoint.gateway.replication);
  EXPECT_EQ(read.endpoint->texts.at("token"), "gateway-secret\n");
  std::vector<std::string> routes;
  for (const AnnouncedRoute& route : read.endpoint->routes) {
    routes.push_back(route.host + " " + route.path +
                     (route.type == PathType::kExact ? " exact" : ""));
  }
  EXPECT_THAT(routes, testing::ElementsAre("abc123.test ", "*.b.test /Lab/x exact", " /p"));
  ASSERT_EQ(read.endpoint->pods.size(), 1U);
  EXPECT_EQ(read.endpoint->pods[0].address.port, 8888);
  EXPECT_TRUE(read.endpoint->pods[0].ready);
}

TEST(Announced, MayHaveNoPods) {
  EXPECT_EQ(problem_with("/pods", json::array()), "");
  EXPECT_EQ(problem_with("/routes", json::array()), "");
}

TEST(Announced, IsRefusedWholeForAnythingWrong) {
  EXPECT_EQ(read_announced("").problem, "is no JSON object");
  EXPECT_EQ(read_announced("[]").problem, "is no JSON object");
  EXPECT_EQ(read_announced("{\"schema\":1").problem, "is no JSON object");
  EXPECT_EQ(problem_with("/schema", 2), "is of another schema");
  EXPECT_EQ(problem_with("/schema", "1"), "is of another schema");
  EXPECT_EQ(problem_with("/kind", "certificate"), "is no endpoint");
  EXPECT_EQ(problem_with("/files", 1), "\"files\" is no object");
  EXPECT_EQ(problem_with("/files/token", 1), "a text of \"files\" is none");
  EXPECT_EQ(problem_without("", "config"), "\"config\" is no object");
  EXPECT_EQ(problem_without("", "pods"), "\"pods\" is no array");
  EXPECT_EQ(problem_with("/routes", json::object()), "\"routes\" is no array");
  for (const auto& [pointer, value] : std::vector<std::pair<const char*, json>>{
           {"/id", "abc124"}, {"/namespace", "other"}, {"/namespace", 1}}) {
    EXPECT_EQ(problem_with(pointer, value), "id and namespace are not those of \"config\"");
  }
  const json many(kAnnouncedPodsMax + 1, good()["pods"][0]);
  EXPECT_EQ(problem_with("/pods", many), "\"pods\" is too long");
  EXPECT_EQ(read_announced(std::string(kAnnouncedBytesMax + 1, ' ')).problem,
            "is larger than 1 MiB");
}

TEST(Announced, NamesAndPathsAreWhatTheySeem) {
  for (const char* host : {"A.test", "*", "a.test:1", "a/b", "a b", "..", "\n"}) {
    EXPECT_EQ(problem_with("/routes/0/host", host), "a route's host is none") << host;
  }
  for (const char* path : {"x", "/a b", "/a\x01", "/a#b", "/\xC3\xA4"}) {
    EXPECT_EQ(problem_with("/routes/0/path", path), "a route's path is none") << path;
  }
  EXPECT_EQ(problem_with("/routes/0/path", ""), "a route has no path");
  EXPECT_EQ(problem_with("/routes/0/type", "Regex"), "a route's type is neither Exact nor Prefix");
  for (const char* address : {"10.0.0.1", "10.0.0.1:0", "jeg:8888", ":8888", "10.0.0.1:99999"}) {
    EXPECT_EQ(problem_with("/pods/0/address", address), "a pod's address is none") << address;
  }
  EXPECT_EQ(problem_with("/pods/0/uid", "a/b"), "a pod's uid is none");
  EXPECT_EQ(problem_with("/pods/0/name", ""), "a pod's name is none");
}

TEST(Announced, ItsConfigurationGoesThroughTheSchema) {
  EXPECT_THAT(problem_with("/config/gateway/replication", "perhaps"),
              HasSubstr("gateway.replication"));
  EXPECT_THAT(problem_with("/config/hosts", json::array({"evil.test"})), HasSubstr("hosts"));
  EXPECT_THAT(problem_with("/config/gateway/token_file", "/etc/passwd"),
              HasSubstr("a file of this machine"));
  EXPECT_THAT(problem_without("/files", "token"), HasSubstr("there is no text"));
  for (const char* pointer : {"/config/gateway/no_such", "/pods/0/name", "/schema"}) {
    EXPECT_THAT(problem_with(pointer, "x y"), testing::Not(HasSubstr("gateway-secret")));
  }
}

// A newer controller's, so that an older proxy follows it.
TEST(Announced, AnUnknownKeyOfItsConfigurationIsIgnoredUnlessAControllerAsks) {
  for (const char* pointer : {"/config/mood", "/config/sessions/jwt/x"}) {
    json payload = good();
    payload[json::json_pointer(pointer)] = {{"y", json::array({1, "z"})}};
    EXPECT_EQ(problem_of(payload), "") << pointer;
    EXPECT_THAT(read_announced(payload.dump(), config::UnknownKeys::kRefused).problem,
                HasSubstr("unknown key"))
        << pointer;
  }
}

class CompileAnnouncedTest : public testing::Test {
 protected:
  std::vector<Route> compile(const json& payload) {
    const ReadAnnounced read = read_announced(payload.dump());
    EXPECT_TRUE(read.endpoint) << read.problem;
    TlsContextBook contexts(2);
    EndpointCompiler compiler(slots_, sources_, pods_, contexts);
    std::vector<Route> routes = compile_announced(*read.endpoint, compiler, nullptr);
    mark_ready_pods(*read.endpoint, routes);
    for (const config::ConfigError& error : compiler.take_errors()) {
      problems_.push_back(error.file + " " + error.key + ": " + error.problem);
    }
    return routes;
  }

  metrics::EndpointSlots slots_{10};
  fetch::Fetcher fetcher_;
  auth::Sources sources_{fetcher_};
  PodBook pods_;
  std::vector<std::string> problems_;
};

TEST_F(CompileAnnouncedTest, TextsStandForFiles) {
  const std::vector<Route> routes = compile(good());
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_THAT(problems_, testing::IsEmpty());
  EXPECT_EQ(routes[0].endpoint->gateway_token.reveal(), "gateway-secret");
  EXPECT_EQ(routes[0].endpoint->pods[0].name, "jeg-0");
}

TEST_F(CompileAnnouncedTest, UnknownKeysChangeNothing) {
  json payload = good();
  payload["config"]["mood"] = "x";
  payload["config"]["sessions"]["jwt"]["x"] = true;
  const std::vector<Route> routes = compile(payload);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_THAT(problems_, testing::IsEmpty());
  EXPECT_EQ(routes[0].endpoint->gateway_token.reveal(), "gateway-secret");
  EXPECT_NE(routes[0].endpoint->sessions, nullptr);
}

TEST_F(CompileAnnouncedTest, EachPrefixHasAnEndpointAndAllShareTheirPods) {
  json payload = good();
  payload["routes"] = json::array({{{"host", "a.test"}, {"path", "/p"}, {"type", "Prefix"}},
                                   {{"host", "b.test"}, {"path", "/p/"}, {"type", "Prefix"}},
                                   {{"host", "a.test"}, {"path", "/p/x"}, {"type", "Exact"}},
                                   {{"host", "a.test"}, {"path", "/q"}, {"type", "Prefix"}}});
  const std::vector<Route> routes = compile(payload);
  ASSERT_EQ(routes.size(), 4U);
  EXPECT_EQ(routes[0].endpoint, routes[1].endpoint);
  EXPECT_EQ(routes[0].endpoint, routes[2].endpoint);
  EXPECT_NE(routes[0].endpoint, routes[3].endpoint);
  EXPECT_EQ(routes[3].endpoint->path_prefix, "/q");
  EXPECT_EQ(routes[0].endpoint->pods[0].facts, routes[3].endpoint->pods[0].facts);
}

// domain K16, K17
TEST_F(CompileAnnouncedTest, APodIsItsUidAndTakesNewKernelsOnlyWhileReady) {
  const std::vector<Route> before = compile(good());
  EXPECT_TRUE(before[0].endpoint->pods[0].takes_new());
  json payload = good();
  payload["pods"][0]["ready"] = false;
  payload["pods"][0]["terminating"] = true;
  const std::vector<Route> leaving = compile(payload);
  EXPECT_EQ(leaving[0].endpoint->pods[0].facts, before[0].endpoint->pods[0].facts);
  EXPECT_EQ(leaving[0].endpoint->pods[0].tag, before[0].endpoint->pods[0].tag);
  EXPECT_FALSE(before[0].endpoint->pods[0].takes_new());
  payload["pods"][0]["uid"] = "0b0e7d0c-77aa-4a6e-b3f4-4d6e0c7c0002";
  const std::vector<Route> another = compile(payload);
  EXPECT_NE(another[0].endpoint->pods[0].facts, before[0].endpoint->pods[0].facts);
  EXPECT_NE(another[0].endpoint->pods[0].tag, before[0].endpoint->pods[0].tag);
}

TEST_F(CompileAnnouncedTest, WhatATextLacksIsTold) {
  json payload = good();
  payload["files"]["token"] = "two\nlines";
  payload["files"]["keys"] = "no keys";
  compile(payload);
  ASSERT_EQ(problems_.size(), 2U);
  EXPECT_THAT(problems_[0], HasSubstr("the feed"));
  EXPECT_THAT(problems_, testing::Each(testing::Not(HasSubstr("two"))));
}

}  // namespace kg::routing::announced_test
