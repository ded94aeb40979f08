// Who has which host, path, class and id, of several Ingresses, and what the others hear of it
// (domain K6 to K8, K11, K13). What a request finds then is routes_test.cc's.
#include <gmock/gmock.h>

#include "cluster.h"

namespace kg::ingress::holders_test {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kKey = "endpoint/analytics/abc";

Annotations with_id(const std::string& id, Annotations more = {}) {
  more.emplace("kernelgate.io/endpoint-id", id);
  return sessions(std::move(more));
}

TEST(HostRules, AWrongHostDisablesNoOtherRule) {
  Cluster cluster;
  cluster.put(
      ingress("analytics", "i", {{"*.*.com", "/"}, {"a.example.com", "/"}}, with_id("abc")));
  EXPECT_THAT(cluster.routes(kKey), ElementsAre("a.example.com / Prefix"));
  EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre("InvalidHost"));
}

TEST(HostRules, WhatIsWrongNeverBecomesAnyHost) {
  Cluster cluster;
  Json object = ingress("analytics", "i", {{"10.0.0.1", "/"}}, with_id("abc"));
  object["spec"]["defaultBackend"] = target("jeg");
  cluster.put(object);
  EXPECT_THAT(cluster.keys(), IsEmpty());
}

TEST(PathRules, ThePathOfTwoNewObjectsBelongsToTheOlder) {
  Cluster cluster;
  cluster.put(ingress("analytics", "a", {{"a.example.com", "/x"}, {"a.example.com", "/y"}},
                      with_id("younger"), 1));
  cluster.put(ingress("analytics", "b", {{"a.example.com", "/x/"}}, with_id("older"), 2));
  EXPECT_THAT(cluster.routes("endpoint/analytics/older"), ElementsAre("a.example.com /x Prefix"));
  EXPECT_THAT(cluster.routes("endpoint/analytics/younger"), ElementsAre("a.example.com /y Prefix"));
  EXPECT_THAT(cluster.reasons("analytics", "a"), ElementsAre("PathTaken"));
  EXPECT_THAT(cluster.message("analytics", "a"), HasSubstr("Ingress \"b\""));
  // Exact is another path.
  cluster.put(ingress("analytics", "c", {{"a.example.com", "/x", "Exact"}}, with_id("exact")));
  EXPECT_THAT(cluster.routes("endpoint/analytics/exact"), ElementsAre("a.example.com /x Exact"));
  cluster.erase(Kind::kIngress, "analytics", "b");
  EXPECT_THAT(cluster.routes("endpoint/analytics/younger"),
              ElementsAre("a.example.com /x Prefix", "a.example.com /y Prefix"));
  EXPECT_THAT(cluster.reasons("analytics", "a"), IsEmpty());
}

TEST(DefaultBackend, ARuleOfAnyAgeComesFirst) {
  Cluster cluster;
  Json object = ingress("analytics", "i", {{"a.example.com", "/x"}}, with_id("abc"), 5);
  object["spec"]["defaultBackend"] = target("jeg");
  cluster.put(object).put(ingress("analytics", "k", {{"a.example.com", "/"}}, with_id("rule")));
  EXPECT_THAT(cluster.routes(kKey), ElementsAre("a.example.com /x Prefix"));
  EXPECT_THAT(cluster.routes("endpoint/analytics/rule"), ElementsAre("a.example.com / Prefix"));
}

TEST(DefaultBackend, ResourcesAreRefusedAlone) {
  Cluster cluster;
  Json object = ingress("analytics", "i", {{"a.example.com", "/"}}, with_id("abc"));
  object["spec"]["defaultBackend"] = {{"resource", {{"kind", "StorageBucket"}, {"name", "b"}}}};
  cluster.put(object);
  EXPECT_THAT(cluster.routes(kKey), ElementsAre("a.example.com / Prefix"));
  EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre("ResourceBackend"));
}

TEST(IngressClass, IsNamedBySpecOrAnnotationOrIsTheDefault) {
  Cluster cluster;
  Json object = ingress("analytics", "i", {{"a.example.com", "/"}}, with_id("abc"));
  object["spec"].erase("ingressClassName");
  cluster.put(object);
  EXPECT_THAT(cluster.keys(), IsEmpty());
  EXPECT_EQ(cluster.compiler().view({"analytics", "i"}), nullptr);
  cluster.put(Kind::kIngressClass, ingress_class("kernelgate", "", /*is_default=*/true));
  EXPECT_THAT(cluster.keys(), ElementsAre(kKey));
  cluster.put(Kind::kIngressClass, ingress_class("kernelgate"));
  EXPECT_THAT(cluster.keys(), IsEmpty());
  object["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "kernelgate";
  EXPECT_THAT(cluster.put(object).keys(), ElementsAre(kKey));
  object["spec"]["ingressClassName"] = "nginx";
  EXPECT_THAT(cluster.put(object).keys(), IsEmpty());
}

TEST(IngressClass, OfAnotherControllerIsNotOurs) {
  Cluster cluster;
  Json other = ingress_class("kernelgate");
  cluster.put(ingress("analytics", "i", {{"a.example.com", "/"}}, with_id("abc")));
  EXPECT_THAT(cluster.keys(), ElementsAre(kKey));
  other["spec"]["controller"] = "k8s.io/ingress-nginx";
  cluster.put(Kind::kIngressClass, other);
  const Changes changes = cluster.run();
  EXPECT_THAT(changes.removed, ElementsAre(kKey));
  EXPECT_THAT(cluster.keys(), IsEmpty());
}

TEST(IngressClass, OfOthersMayBeObserved) {
  Settings settings;
  settings.observed = {"alb", "emr", "yes", ObjectName{"platform", "emr"}};
  Cluster cluster(settings);
  cluster.put(Kind::kConfigMap, config_map("emr", {{"sessions-by-gateway", "/api/kernelspecs"},
                                                   {"gateway-credentials", "forward"},
                                                   {"host-template", "{id}.kernels.example.com"},
                                                   {"endpoint-id-prefix", "ingress-"}}));
  Json object =
      ingress("analytics", "ingress-3kqj9fzm2yd0v", {{"-", "/*", "ImplementationSpecific"}}, {});
  object["spec"]["ingressClassName"] = "alb";
  cluster.put(object);
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/analytics/3kqj9fzm2yd0v"));
  // No rule names a host, since each of them has a load balancer of its own.
  EXPECT_THAT(cluster.routes("endpoint/analytics/3kqj9fzm2yd0v"),
              ElementsAre("3kqj9fzm2yd0v.kernels.example.com / Prefix"));
  EXPECT_TRUE(cluster.compiler().view({"analytics", "ingress-3kqj9fzm2yd0v"})->is_observed);
  EXPECT_EQ(cluster.payload("endpoint/analytics/3kqj9fzm2yd0v")["pods"].size(), 1U);
  EXPECT_THAT(cluster.reasons("analytics", "ingress-3kqj9fzm2yd0v"),
              ElementsAre("ForwardTakesOnePod"));
  object["spec"]["ingressClassName"] = "other";
  EXPECT_THAT(cluster.put(object).keys(), IsEmpty());
  object["metadata"]["labels"] = {{"emr", "yes"}};
  EXPECT_THAT(cluster.put(object).keys(), ElementsAre("endpoint/analytics/3kqj9fzm2yd0v"));
}

TEST(Ids, OfNewOnesTheOldestHasItAndTheNextInheritsIt) {
  Cluster cluster;
  cluster.put(ingress("a", "younger", {{"a.example.com", "/"}}, with_id("abc"), 1));
  cluster.put(ingress("b", "older", {{"b.example.com", "/"}}, with_id("abc"), 2));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/b/abc"));
  EXPECT_THAT(cluster.reasons("a", "younger"), Contains("EndpointIdTaken"));
  EXPECT_THAT(cluster.message("a", "younger"), testing::Not(HasSubstr("older\"")));
  cluster.erase(Kind::kIngress, "b", "older");
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/abc"));
  EXPECT_THAT(cluster.reasons("a", "younger"), testing::Not(Contains("EndpointIdTaken")));
}

TEST(Ids, EveryBackendIsAnEndpointWithAStableId) {
  Cluster cluster;
  cluster.put(ingress("analytics", "i",
                      {{"a.example.com", "/"}, {"a.example.com", "/b", "Prefix", "other"}},
                      with_id("abc")));
  const std::vector<std::string> before = cluster.keys();
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before[0], kKey);
  EXPECT_THAT(before[1], testing::StartsWith(kKey));
  cluster.put(ingress("analytics", "i",
                      {{"a.example.com", "/"},
                       {"a.example.com", "/c", "Prefix", "third"},
                       {"a.example.com", "/b", "Prefix", "other"}},
                      with_id("abc")));
  EXPECT_THAT(cluster.keys(), testing::IsSupersetOf(before));
  EXPECT_THAT(cluster.routes(before[1]), ElementsAre("a.example.com /b Prefix"));
}

TEST(Ids, WithoutAnAnnotationTheyComeFromTheName) {
  Cluster cluster;
  cluster.put(ingress("a", "my.jeg", {{"a.example.com", "/"}}));
  cluster.put(ingress("b", "my.jeg", {{"b.example.com", "/"}}));
  const std::vector<std::string> keys = cluster.keys();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_THAT(keys[0], testing::MatchesRegex("endpoint/a/myjeg[0-9a-f]{16}"));
  EXPECT_NE(keys[0].substr(11), keys[1].substr(11));
}

TEST(Tenants, ANewHostBelongsToTheNamespaceOfTheOldest) {
  Cluster cluster;
  cluster.put(ingress("a", "i", {{"a.example.com", "/"}, {"-", "/a"}}, with_id("a"), 5));
  cluster.put(ingress("a", "wild", {{"*.a.example.com", "/"}}, with_id("wild"), 4));
  cluster.put(ingress("b", "i",
                      {{"a.example.com", "/api"},
                       {"x.a.example.com", "/"},
                       {"-", "/a/api"},
                       {"-", "/b"},
                       {"b.example.com", "/"}},
                      with_id("b"), 1));
  EXPECT_THAT(cluster.routes("endpoint/b/b"),
              UnorderedElementsAre(" /b Prefix", "b.example.com / Prefix"));
  EXPECT_THAT(cluster.reasons("b", "i"),
              testing::IsSupersetOf({"HostTaken", "HostTaken", "HostTaken"}));
  cluster.erase(Kind::kIngress, "a", "wild");
  EXPECT_THAT(cluster.routes("endpoint/b/b"), Contains("x.a.example.com / Prefix"));
  cluster.erase(Kind::kIngress, "a", "i");
  EXPECT_EQ(cluster.routes("endpoint/b/b").size(), 5U);
}

TEST(Tenants, AnOlderHostIsNotLostToAWildcard) {
  Cluster cluster;
  cluster.put(ingress("b", "i", {{"b.example.com", "/"}}, with_id("b"), 5));
  cluster.put(ingress("a", "wild", {{"*.example.com", "/"}}, with_id("wild"), 4));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/wild", "endpoint/b/b"));
}

TEST(Tenants, AWildcardCostsALookAtThoseWhoseHostsItGivesUp) {
  Cluster cluster;
  const auto host = [](int i, const std::string& space) {
    const std::string name = "i" + std::to_string(i);
    return ingress(space, name, {{name + ".example.com", "/"}}, with_id(space + name), 5);
  };
  const auto wild = [](int age) {
    return ingress("b", "wild", {{"*.example.com", "/"}}, with_id("wild"), age);
  };
  for (int i = 0; i < 8; ++i) cluster.put(host(i, "a"));
  EXPECT_EQ(cluster.run().compiled, 8U);
  EXPECT_EQ(cluster.put(wild(6)).run().compiled, 1U) << "they keep what they have";
  EXPECT_EQ(cluster.keys().size(), 9U);
  for (int i = 0; i < 8; ++i) cluster.put(host(i + 8, "c"));
  EXPECT_EQ(cluster.run().compiled, 8U);
  EXPECT_EQ(cluster.keys().size(), 9U) << "new ones below it are its namespace's";
  EXPECT_EQ(cluster.erase(Kind::kIngress, "b", "wild").run().compiled, 9U);
  EXPECT_EQ(cluster.keys().size(), 16U);
}

TEST(Tenants, MayShareHostsIfTheClassSaysSo) {
  Cluster cluster;
  cluster.put(Kind::kConfigMap, config_map("p", {{"hosts-across-namespaces", "allow"}}));
  cluster.put(Kind::kIngressClass, ingress_class("kernelgate", "p"));
  cluster.put(ingress("a", "i", {{"a.example.com", "/"}}, with_id("a"), 5));
  cluster.put(ingress("b", "i", {{"a.example.com", "/b"}, {"a.example.com", "/"}}, with_id("b")));
  EXPECT_THAT(cluster.routes("endpoint/a/a"), ElementsAre("a.example.com / Prefix"));
  EXPECT_THAT(cluster.routes("endpoint/b/b"), ElementsAre("a.example.com /b Prefix"));
}

TEST(Tenants, ShareNoCertificateByTheNameOfItsSecret) {
  Cluster cluster;
  cluster.put(Kind::kConfigMap, config_map("p", {{"hosts-across-namespaces", "allow"}}));
  cluster.put(Kind::kIngressClass, ingress_class("kernelgate", "p"));
  const auto with_tls = [](const std::string& space, const std::string& name, int age) {
    Json out = ingress(space, name, {{"a.example.com", "/" + space + name}}, sessions(), age);
    out["spec"]["tls"] = {{{"hosts", {"a.example.com"}}, {"secretName", "web"}}};
    return out;
  };
  cluster.put(with_tls("a", "old", 5))
      .put(with_tls("a", "young", 0))
      .put(with_tls("b", "other", 1));
  cluster.run();
  EXPECT_EQ(cluster.compiler().view({"a", "old"})->certificates.size(), 1U);
  EXPECT_EQ(cluster.compiler().view({"a", "young"})->certificates.size(), 1U);
  EXPECT_EQ(cluster.compiler().view({"b", "other"})->certificates.size(), 0U);
}

}  // namespace kg::ingress::holders_test
