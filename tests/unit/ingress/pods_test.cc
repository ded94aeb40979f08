// From Services and EndpointSlices to pods (domain K9, K14 to K18).
#include "routing/controller/ingress/pods.h"

#include <gmock/gmock.h>

#include "cluster.h"
#include "routing/controller/ingress/limits.h"

namespace kg::ingress::pods_test {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kKey = "endpoint/analytics/abc";

const Annotations kAnnotations = sessions({{"kernelgate.io/endpoint-id", "abc"}});

Json one_rule(int port = 8888) {
  return ingress("analytics", "i", {{"a.example.com", "/", "Prefix", "jeg", port}}, kAnnotations);
}

// "NAME ADDRESS rst" with a letter for each of ready, serving, terminating.
std::vector<std::string> pods(Cluster& cluster) {
  std::vector<std::string> out;
  const Json payload = cluster.payload(kKey);
  for (const Json& pod : list(payload, "pods")) {
    std::string said(text(pod, "name"));
    said += " " + std::string(text(pod, "address")) + " ";
    for (const char* name : {"ready", "serving", "terminating"})
      said += flag(pod, name, false) ? name[0] : '-';
    out.push_back(said);
  }
  return out;
}

TEST(Pods, ConditionsThatAreAbsentMeanWell) {
  Cluster cluster;
  cluster.put(one_rule())
      .put(
          Kind::kEndpointSlice,
          slice("analytics", "jeg-1", "jeg",
                {pod("a", "10.0.0.1"), pod("b", "10.0.0.2", {{"ready", nullptr}}),
                 pod("c", "10.0.0.3", {{"ready", false}}),
                 pod("d", "10.0.0.4", {{"ready", false}, {"serving", true}, {"terminating", true}}),
                 pod("e", "10.0.0.5", {{"ready", true}, {"serving", false}})}));
  EXPECT_THAT(pods(cluster),
              ElementsAre("a 10.0.0.1:8888 rs-", "b 10.0.0.2:8888 rs-", "c 10.0.0.3:8888 ---",
                          "d 10.0.0.4:8888 -st", "e 10.0.0.5:8888 r--"));
}

TEST(Pods, ASliceBeyondTheBoundCountsOnceAnotherIsGone) {
  Cluster cluster;
  cluster.put(one_rule());
  for (size_t i = 1; i < kSlicesMax; ++i)
    cluster.put(Kind::kEndpointSlice, slice("analytics", "s" + std::to_string(100 + i), "jeg", {}));
  cluster.put(Kind::kEndpointSlice, slice("analytics", "t", "jeg", {pod("late", "10.0.0.9")}));
  EXPECT_THAT(pods(cluster), ElementsAre("jeg-0 10.0.0.1:8888 rs-", "jeg-1 10.0.0.2:8888 rs-"));
  cluster.erase(Kind::kEndpointSlice, "analytics", "jeg-1");
  EXPECT_THAT(pods(cluster), ElementsAre("late 10.0.0.9:8888 rs-"));
}

TEST(Pods, OfSeveralSlicesAreJoinedAndListedOnce) {
  Cluster cluster;
  cluster.put(one_rule());
  cluster.put(Kind::kEndpointSlice,
              slice("analytics", "jeg-2", "jeg",
                    {pod("jeg-1", "10.0.0.2", {{"ready", false}}), pod("jeg-2", "10.0.0.3")}));
  cluster.put(Kind::kEndpointSlice, slice("analytics", "x", "other", {pod("x", "10.0.0.9")}));
  EXPECT_THAT(pods(cluster), ElementsAre("jeg-0 10.0.0.1:8888 rs-", "jeg-1 10.0.0.2:8888 rs-",
                                         "jeg-2 10.0.0.3:8888 rs-"));
  cluster.erase(Kind::kEndpointSlice, "analytics", "jeg-1");
  EXPECT_THAT(pods(cluster), ElementsAre("jeg-1 10.0.0.2:8888 ---", "jeg-2 10.0.0.3:8888 rs-"));
}

TEST(Pods, AnAddressThatIsUsedAgainIsAnotherPod) {
  Cluster cluster;
  cluster.put(one_rule());
  const std::string before = cluster.payload(kKey)["pods"][0]["uid"];
  Json renewed = pod("jeg-0", "10.0.0.1");
  renewed["targetRef"]["uid"] = "uid-2";
  cluster.put(Kind::kEndpointSlice, slice("analytics", "jeg-1", "jeg", {renewed}));
  EXPECT_EQ(cluster.payload(kKey)["pods"][0]["uid"], "uid-2");
  EXPECT_NE(before, "uid-2");
}

TEST(Pods, ANamedPortIsTheSlicesPortOfThatName) {
  Cluster cluster;
  Json named = one_rule();
  named["spec"]["rules"][0]["http"]["paths"][0]["backend"] = target("jeg", {{"name", "web"}});
  cluster.put(named).put(Kind::kService, service("analytics", "jeg", "web", 80));
  Json two = slice("analytics", "jeg-1", "jeg", {pod("a", "10.0.0.1")}, "web", 9999);
  two["ports"].push_back({{"name", "metrics"}, {"port", 1}});
  cluster.put(Kind::kEndpointSlice, two);
  EXPECT_THAT(pods(cluster), ElementsAre("a 10.0.0.1:9999 rs-"));
  // The number is the Service's as well, and finds the same name.
  cluster.put(one_rule(80));
  EXPECT_THAT(pods(cluster), ElementsAre("a 10.0.0.1:9999 rs-"));
  cluster.put(one_rule(9999));
  EXPECT_THAT(pods(cluster), IsEmpty());
  EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre("PortNotFound"));
}

TEST(Pods, WithoutANumberThePortIsTheServices) {
  Cluster cluster;
  Json open = slice("analytics", "jeg-1", "jeg", {pod("a", "10.0.0.1")});
  open["ports"][0]["port"] = nullptr;
  cluster.put(one_rule()).put(Kind::kEndpointSlice, open);
  EXPECT_THAT(pods(cluster), ElementsAre("a 10.0.0.1:8888 rs-"));
}

TEST(Pods, OfTwoFamiliesTheServicesFirstIsTaken) {
  Cluster cluster;
  Json six = slice("analytics", "jeg-6", "jeg", {pod("jeg-0", "fd00::1")});
  six["addressType"] = "IPv6";
  cluster.put(one_rule()).put(Kind::kEndpointSlice, six);
  EXPECT_THAT(pods(cluster), Contains("jeg-0 10.0.0.1:8888 rs-"));
  Json dual = service("analytics", "jeg");
  dual["spec"]["ipFamilies"] = {"IPv6", "IPv4"};
  cluster.put(Kind::kService, dual);
  EXPECT_THAT(pods(cluster), Contains("jeg-0 [fd00::1]:8888 rs-"));
}

TEST(Pods, NoServiceIsAnEndpointWithoutPods) {
  Cluster cluster;
  cluster.put(one_rule());
  EXPECT_EQ(pods(cluster).size(), 2U);
  cluster.erase(Kind::kService, "analytics", "jeg");
  EXPECT_THAT(cluster.keys(), ElementsAre(kKey));
  EXPECT_THAT(pods(cluster), IsEmpty());
  EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre("ServiceNotFound"));
  Json external = service("analytics", "jeg");
  external["spec"]["type"] = "ExternalName";
  cluster.put(Kind::kService, external);
  EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre("ExternalService"));
}

TEST(Pods, CordonedOnesTakeNoNewKernels) {
  Cluster cluster;
  Annotations annotations = kAnnotations;
  annotations["kernelgate.io/cordoned-pods"] = "jeg-1, jeg-7";
  cluster.put(ingress("analytics", "i", {{"a.example.com", "/"}}, annotations));
  EXPECT_THAT(pods(cluster), ElementsAre("jeg-0 10.0.0.1:8888 rs-", "jeg-1 10.0.0.2:8888 -s-"));
}

TEST(Pods, TheServicesPortMaySayTls) {
  Cluster cluster;
  Json tls = service("analytics", "jeg");
  tls["spec"]["ports"][0]["appProtocol"] = "https";
  cluster.put(one_rule()).put(Kind::kService, tls);
  EXPECT_EQ(cluster.payload(kKey)["config"]["gateway"]["tls"]["server_name"], "jeg.analytics.svc");
  Annotations plain = kAnnotations;
  plain["kernelgate.io/gateway-scheme"] = "http";
  cluster.put(ingress("analytics", "i", {{"a.example.com", "/"}}, plain));
  EXPECT_FALSE(cluster.payload(kKey)["config"]["gateway"].contains("tls"));
}

TEST(Pods, AreAtMostAsManyAsAnEndpointMayHave) {
  Cluster cluster;
  std::vector<Json> many;
  for (int i = 0; i < 70; ++i) {
    many.push_back(
        pod("p-" + std::to_string(i), "10.0.1." + std::to_string(i), {{"ready", i >= 10}}));
  }
  cluster.put(one_rule()).put(Kind::kEndpointSlice, slice("analytics", "jeg-1", "jeg", many));
  EXPECT_EQ(pods(cluster).size(), kPodsMax);
  EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre("TooManyPods"));
}

}  // namespace kg::ingress::pods_test
