// From Ingress objects to the answer of the proxy's own look-up: each feature of the public
// conformance suite of Ingress controllers, the examples of Kubernetes' documentation, and what
// implementations get wrong (domain K1 to K9, K11, K20, K21).
#include <gmock/gmock.h>

#include <memory>

#include "cluster.h"
#include "routing/announced.h"
#include "routing/route_snapshot.h"

namespace kg::ingress::routes_test {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// The Service that serves, "-" for nobody.
struct Request {
  const char* host;
  const char* path;
  const char* service;
};

// Follows all that a compiler publishes, as a proxy does.
class Proxy {
 public:
  explicit Proxy(Cluster& cluster) {
    std::map<std::string, std::string> services;  // by endpoint
    cluster.run();
    for (const ObjectName& name : cluster.compiler().ours()) {
      for (const EndpointView& endpoint : cluster.compiler().view(name)->endpoints)
        services[endpoint.id] = endpoint.target.service;
    }
    std::vector<routing::Route> routes;
    for (const feed::Item& item : cluster.compiler().items()) {
      routing::ReadAnnounced read = routing::read_announced(*item.payload);
      EXPECT_EQ(read.problem, "") << item.key;
      if (!read.endpoint) continue;
      auto endpoint = std::make_shared<routing::Endpoint>();
      endpoint->id = services.at(item.endpoint);
      for (const routing::AnnouncedRoute& route : read.endpoint->routes)
        routes.push_back({route.host, route.path, endpoint, route.type, route.host.empty()});
      pods_[endpoint->id] = std::move(read.endpoint->pods);
    }
    snapshot_ = std::make_unique<routing::RouteSnapshot>(1, std::move(routes));
  }

  std::string at(const std::string& authority, const std::string& path) const {
    const routing::Match match = snapshot_->match(authority, path);
    return match.endpoint == nullptr ? "-" : (*match.endpoint)->id;
  }
  std::vector<routing::AnnouncedPod> pods(const std::string& service) const {
    return pods_.at(service);
  }

 private:
  std::unique_ptr<routing::RouteSnapshot> snapshot_;
  std::map<std::string, std::vector<routing::AnnouncedPod>> pods_;
};

void expect(Cluster& cluster, const std::vector<Request>& requests) {
  const Proxy proxy(cluster);
  for (const Request& request : requests)
    EXPECT_EQ(proxy.at(request.host, request.path), request.service)
        << request.host << request.path;
}

Json with_default(Json object, const std::string& service) {
  object["spec"]["defaultBackend"] = target(service);
  return object;
}

// ---- the conformance suite ----

TEST(Suite, DefaultBackend) {
  Cluster cluster;
  cluster.put(with_default(ingress("analytics", "default", {}), "echo"));
  expect(cluster, {{"my-host", "/my-path", "echo"},
                   {"other", "/", "echo"},
                   {"10.0.0.1", "/sub/path?x=y", "echo"},
                   {"", "/", "echo"}});
}

TEST(Suite, HostRules) {
  Cluster cluster;
  cluster.put(Kind::kService, service("analytics", "foo-bar-com", "http", 8080));
  Json object = ingress("analytics", "hosts",
                        {{"*.foo.com", "/", "Prefix", "wildcard-foo-com", 8080},
                         {"foo.bar.com", "/", "Prefix", "foo-bar-com", 8080}});
  object["spec"]["rules"][1]["http"]["paths"][0]["backend"] =
      target("foo-bar-com", {{"name", "http"}});
  cluster.put(object);
  expect(cluster, {{"foo.bar.com", "/", "foo-bar-com"},
                   {"subdomain.bar.com", "/", "-"},
                   {"bar.foo.com", "/", "wildcard-foo-com"},
                   {"baz.bar.foo.com", "/", "-"},
                   {"foo.com", "/", "-"}});
}

TEST(Suite, IngressClass) {
  Cluster cluster;
  Json object = ingress("analytics", "i", {{"ingress-class", "/", "Prefix", "echo"}});
  object["spec"]["ingressClassName"] = "some-invalid-class-name";
  cluster.put(object);
  expect(cluster, {{"ingress-class", "/", "-"}});
}

TEST(Suite, LoadBalancing) {
  Cluster cluster;
  std::vector<Json> pods;
  for (int i = 0; i < 10; ++i)
    pods.push_back(pod("echo-" + std::to_string(i), "10.0.1." + std::to_string(i)));
  cluster.put(Kind::kService, service("analytics", "echo"))
      .put(Kind::kEndpointSlice, slice("analytics", "echo-1", "echo", pods))
      .put(ingress("analytics", "i", {{"load-balancing", "/", "Prefix", "echo"}}));
  EXPECT_THAT(Proxy(cluster).pods("echo"), SizeIs(10));
}

TEST(Suite, PathRules) {
  Cluster cluster;
  cluster.put(ingress("analytics", "paths",
                      {{"exact-path-rules", "/foo", "Exact", "foo-exact"},
                       {"prefix-path-rules", "/foo", "Prefix", "foo-prefix"},
                       {"prefix-path-rules", "/aaa/bbb", "Prefix", "aaa-slash-bbb"},
                       {"prefix-path-rules", "/aaa", "Prefix", "aaa"},
                       {"mixed-path-rules", "/foo", "Prefix", "mixed-prefix"},
                       {"mixed-path-rules", "/foo", "Exact", "mixed-exact"},
                       {"trailing-slash-path-rules", "/aaa/bbb/", "Prefix", "slash-prefix"},
                       {"trailing-slash-path-rules", "/foo/", "Exact", "slash-exact"}}));
  expect(cluster, {{"exact-path-rules", "/foo", "foo-exact"},
                   {"exact-path-rules", "/foo/", "-"},
                   {"exact-path-rules", "/FOO", "-"},
                   {"exact-path-rules", "/bar", "-"},
                   {"prefix-path-rules", "/foo", "foo-prefix"},
                   {"prefix-path-rules", "/foo/", "foo-prefix"},
                   {"prefix-path-rules", "/FOO", "-"},
                   {"prefix-path-rules", "/aaa/bbb", "aaa-slash-bbb"},
                   {"prefix-path-rules", "/aaa/bbb/ccc", "aaa-slash-bbb"},
                   {"prefix-path-rules", "/aaa/ccc", "aaa"},
                   {"prefix-path-rules", "/aaaccc", "-"},
                   {"mixed-path-rules", "/foo", "mixed-exact"},
                   {"mixed-path-rules", "/foo/", "mixed-prefix"},
                   {"trailing-slash-path-rules", "/aaa/bbb", "slash-prefix"},
                   {"trailing-slash-path-rules", "/aaa/bbb/", "slash-prefix"},
                   {"trailing-slash-path-rules", "/foo", "-"},
                   {"trailing-slash-path-rules", "/foo/", "slash-exact"}});
}

// ---- the table of examples in Kubernetes' documentation of Ingress (K5, K6) ----

TEST(Documentation, PathExamples) {
  struct Example {
    std::vector<Path> rules;
    std::vector<Request> requests;
  };
  const char* h = "h.example";
  for (const Example& one : std::vector<Example>{
           {{{h, "/", "Prefix", "a"}}, {{h, "/", "a"}, {h, "/any/path", "a"}}},
           {{{h, "/foo", "Exact", "a"}}, {{h, "/foo", "a"}, {h, "/bar", "-"}, {h, "/foo/", "-"}}},
           {{{h, "/foo/", "Exact", "a"}}, {{h, "/foo", "-"}, {h, "/foo/", "a"}}},
           {{{h, "/foo", "Prefix", "a"}}, {{h, "/foo", "a"}, {h, "/foo/", "a"}}},
           {{{h, "/foo/", "Prefix", "a"}}, {{h, "/foo", "a"}, {h, "/foo/", "a"}}},
           {{{h, "/aaa/bb", "Prefix", "a"}}, {{h, "/aaa/bbb", "-"}}},
           {{{h, "/aaa/bbb", "Prefix", "a"}},
            {{h, "/aaa/bbb", "a"},
             {h, "/aaa/bbb/", "a"},
             {h, "/aaa/bbb/ccc", "a"},
             {h, "/aaa/bbbxyz", "-"}}},
           {{{h, "/aaa/bbb/", "Prefix", "a"}}, {{h, "/aaa/bbb", "a"}}},
           {{{h, "/", "Prefix", "root"}, {h, "/aaa", "Prefix", "a"}}, {{h, "/aaa/ccc", "a"}}},
           {{{h, "/", "Prefix", "root"},
             {h, "/aaa", "Prefix", "a"},
             {h, "/aaa/bbb", "Prefix", "ab"}},
            {{h, "/aaa/bbb", "ab"}, {h, "/ccc", "root"}}},
           {{{h, "/foo", "Prefix", "prefix"}, {h, "/foo", "Exact", "exact"}},
            {{h, "/foo", "exact"}}}}) {
    Cluster cluster;
    cluster.put(ingress("analytics", "i", one.rules));
    expect(cluster, one.requests);
  }
  Cluster cluster;
  cluster.put(with_default(ingress("analytics", "i", {{h, "/aaa", "Prefix", "a"}}), "default"));
  expect(cluster, {{h, "/ccc", "default"}});
}

TEST(Documentation, WildcardExamples) {
  Cluster cluster;
  cluster.put(ingress("analytics", "i", {{"*.foo.com", "/", "Prefix", "a"}}));
  expect(cluster,
         {{"bar.foo.com", "/", "a"}, {"baz.bar.foo.com", "/", "-"}, {"foo.com", "/", "-"}});
}

// ---- what else is specified, or got wrong ----

// K2, K4, A24; traefik/traefik#4161.
TEST(Hosts, ExactComesBeforeWildcardAndThatBeforeAnyInAnyWriting) {
  Cluster cluster;
  cluster.put(ingress("analytics", "i",
                      {{"-", "/", "Prefix", "any"},
                       {"*.example.com", "/", "Prefix", "wild"},
                       {"a.example.com", "/", "Prefix", "exact"}}));
  expect(cluster, {{"A.Example.COM.:18888", "/", "exact"},
                   {"b.example.com:443", "/x", "wild"},
                   {"b.a.example.com", "/", "any"},
                   {"example.com", "/", "any"},
                   {"*.example.com", "/", "wild"},
                   {".example.com", "/", "any"}});
}

// K6, both readings: a host's own rules do not fall through to a wildcard's, but to the default
// target of whoever names the host.
TEST(Hosts, WhatTheBestHostDoesNotFitGoesToItsDefaultBackendAlone) {
  Cluster cluster;
  cluster.put(with_default(ingress("analytics", "exact", {{"a.example.com", "/x", "Prefix", "x"}}),
                           "default"));
  cluster.put(ingress("analytics", "wild",
                      {{"*.example.com", "/", "Prefix", "wild"}, {"-", "/", "Prefix", "any"}}));
  expect(cluster, {{"a.example.com", "/x", "x"},
                   {"a.example.com", "/y", "default"},
                   {"b.example.com", "/y", "wild"}});
  cluster.put(ingress("analytics", "exact", {{"a.example.com", "/x", "Prefix", "x"}}));
  expect(cluster, {{"a.example.com", "/y", "-"}, {"c.test", "/y", "any"}});
}

// K3: legal, and all of it goes to the default target.
TEST(Hosts, ARuleWithoutPathsBelongsToTheDefaultBackend) {
  Cluster cluster;
  Json object = with_default(ingress("analytics", "i", {{"a.example.com", "/x"}}), "default");
  object["spec"]["rules"].push_back({{"host", "c.example.com"}});
  cluster.put(object);
  expect(cluster, {{"c.example.com", "/any", "default"}, {"d.example.com", "/any", "-"}});
}

// K6, K20, K21: traefik/traefik#11200, kubernetes/ingress-nginx#6437 and #9405,
// nginx/kubernetes-ingress#3357, istio/istio#34295, haproxy-ingress#770.
TEST(Paths, PrecedenceIsOfTheHostAndNotOfTheObject) {
  const Json prefix = ingress("analytics", "z", {{"a.example.com", "/api", "Prefix", "prefix"}});
  const Json exact = ingress("analytics", "a", {{"a.example.com", "/api", "Exact", "exact"}});
  const Json longer = ingress("analytics", "m", {{"a.example.com", "/api/v1", "Prefix", "longer"}});
  for (const auto& order : {std::vector{prefix, exact, longer}, {longer, exact, prefix}}) {
    Cluster cluster;
    for (const Json& object : order) cluster.put(object);
    expect(cluster, {{"a.example.com", "/api", "exact"},
                     {"a.example.com", "/api/", "prefix"},
                     {"a.example.com", "/apix", "-"},
                     {"a.example.com", "/api/v1/x", "longer"},
                     {"a.example.com", "/api/v10", "prefix"}});
  }
}

// K5: what a controller chooses, and the page says.
TEST(Paths, ImplementationSpecificIsPrefix) {
  Cluster cluster;
  const std::string type = "ImplementationSpecific";
  cluster.put(ingress("analytics", "i",
                      {{"a.example.com", "/lab/*", type, "lab"},
                       {"a.example.com", "/doc", type, "doc"},
                       {"b.example.com", "/*", type, "all"},
                       {"c.example.com", "", type, "all"}}));
  expect(cluster, {{"a.example.com", "/lab", "lab"},
                   {"a.example.com", "/lab/tree", "lab"},
                   {"a.example.com", "/labs", "-"},
                   {"a.example.com", "/doc/x", "doc"},
                   {"b.example.com", "/x", "all"},
                   {"c.example.com", "/", "all"}});
}

// K7.
TEST(Paths, OfNewObjectsTheOlderHasAPathAndThenTheFirstByName) {
  const auto one = [](const std::string& name, const std::string& to, int age) {
    return ingress("analytics", name, {{"a.example.com", "/x", "Prefix", to}}, sessions(), age);
  };
  Cluster cluster;
  cluster.put(one("a", "younger", 0)).put(one("b", "older", 3));
  expect(cluster, {{"a.example.com", "/x", "older"}});
  EXPECT_THAT(cluster.reasons("analytics", "a"), testing::Contains("PathTaken"));
  Cluster other;
  other.put(one("b", "older", 3)).put(one("0", "first", 3));
  expect(other, {{"a.example.com", "/x", "first"}});
}

// K11, each of the ways to name a class.
TEST(Classes, OneThatIsLostTakesItsRoutesAlong) {
  Cluster cluster;
  Json object = ingress("analytics", "i", {{"a.example.com", "/", "Prefix", "a"}});
  cluster.put(object);
  expect(cluster, {{"a.example.com", "/", "a"}});
  object["spec"].erase("ingressClassName");
  cluster.put(object);
  expect(cluster, {{"a.example.com", "/", "-"}});
  object["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "kernelgate";
  cluster.put(object);
  expect(cluster, {{"a.example.com", "/", "a"}});
  cluster.erase(Kind::kIngressClass, "", "kernelgate");
  expect(cluster, {{"a.example.com", "/", "-"}});
}

// K9, K14, K16, K18: an address of the proxy's machine, or a name that proxies cannot read, would
// make them refuse all that comes with it.
TEST(Pods, AreWhatAProxyCanRead) {
  Cluster cluster;
  Json nameless = pod("x", "10.0.0.5");
  nameless.erase("targetRef");
  Json odd = pod("x", "10.0.0.6");
  odd["targetRef"]["name"] = "-x.";
  Json odd_uid = pod("jeg-7", "10.0.0.7");
  odd_uid["targetRef"]["uid"] = "a b";
  Json six = slice("analytics", "s6", "jeg", {nameless}, "", 8888);
  six["addressType"] = "IPv6";
  six["endpoints"][0]["addresses"] = {"fd00::1"};
  cluster.put(Kind::kEndpointSlice, slice("analytics", "jeg-1", "jeg",
                                          {nameless, odd, odd_uid, pod("me", "127.0.0.1"),
                                           pod("imds", "169.254.169.254")}));
  cluster.put(Kind::kEndpointSlice, six);
  cluster.put(ingress("analytics", "i", {{"a.example.com", "/"}}));
  std::vector<std::string> names;
  for (const routing::AnnouncedPod& one : Proxy(cluster).pods("jeg"))
    names.push_back(one.name + " " + one.uid);
  EXPECT_THAT(names, ElementsAre("10.0.0.5-8888 10.0.0.5-8888", "10.0.0.6-8888 10.0.0.6-8888",
                                 "fd00--1--8888 fd00--1--8888", "jeg-7 jeg-7"));
  EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre("AddressNotAllowed"));
}

// Two rules that the class's template makes one: the proxy would refuse them.
TEST(HostTemplate, MakesNoRouteTwice) {
  Cluster cluster;
  cluster.put(Kind::kConfigMap, config_map("p", {{"host-template", "{id}.example.com"}}));
  cluster.put(Kind::kIngressClass, ingress_class("kernelgate", "p"));
  Json object = with_default(ingress("analytics", "i",
                                     {{"-", "/", "Prefix", "bare"},
                                      {"abc.example.com", "/", "Prefix", "named"},
                                      {"abc.example.com", "/x", "Prefix", "named"}},
                                     sessions({{"kernelgate.io/endpoint-id", "abc"}})),
                             "bare");
  cluster.put(object);
  expect(cluster, {{"abc.example.com", "/", "bare"}, {"abc.example.com", "/x/y", "named"}});
  EXPECT_THAT(cluster.routes("endpoint/analytics/abc"), ElementsAre("abc.example.com / Prefix"));
  EXPECT_THAT(cluster.reasons("analytics", "i"), testing::Contains("DuplicatePath"));
}

}  // namespace kg::ingress::routes_test
