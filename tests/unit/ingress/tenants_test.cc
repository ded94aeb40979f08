// What one tenant cannot do to another, whatever his objects say (domain A29).
#include <gmock/gmock.h>

#include "cluster.h"
#include "proxy/tls/certificate.h"
#include "routing/controller/ingress/limits.h"

namespace kg::ingress::tenants_test {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Annotations with_id(const std::string& id, Annotations more = {}) {
  more.emplace("kernelgate.io/endpoint-id", id);
  return sessions(std::move(more));
}

Json one(const std::string& space, const std::string& name, int age = 0) {
  return ingress(space, name, {{name + "." + space + ".test", "/"}}, with_id(space + name), age);
}

Settings bounded(ShareBounds feed, size_t hosts = kNamespaceHostsMax) {
  Settings settings;
  settings.feed = feed;
  settings.namespace_hosts_max = hosts;
  return settings;
}

constexpr size_t kMany = size_t{1} << 30;

// ---- the feed ----

TEST(Feed, ANamespaceThatWantsMoreThanItsBoundLosesItsYoungestAndNobodyElseAnything) {
  Cluster cluster(bounded({{2, kMany}, {kMany, kMany}}));
  cluster.put(one("a", "young", 1)).put(one("a", "middle", 2)).put(one("a", "old", 3));
  cluster.put(one("b", "other", 0));
  EXPECT_THAT(cluster.keys(),
              ElementsAre("endpoint/a/amiddle", "endpoint/a/aold", "endpoint/b/bother"));
  EXPECT_THAT(cluster.reasons("a", "young"), Contains("NamespaceFull"));
  EXPECT_THAT(cluster.message("a", "young"), HasSubstr("more than 2 endpoints"));
  EXPECT_FALSE(cluster.compiler().view({"a", "young"})->endpoints[0].is_published);
  EXPECT_EQ(cluster.compiler().left_out(), 1U);
  // Once an older one is gone the next has its place, in the same turn.
  cluster.erase(Kind::kIngress, "a", "old");
  const Changes changes = cluster.run();
  EXPECT_THAT(changes.removed, ElementsAre("endpoint/a/aold"));
  EXPECT_THAT(changes.items, SizeIs(1));
  EXPECT_THAT(changes.judged, Contains(ObjectRef{Kind::kIngress, {"a", "young"}}));
  EXPECT_THAT(cluster.reasons("a", "young"), Not(Contains("NamespaceFull")));
  // An older one that comes back takes it away again.
  cluster.put(one("a", "old", 3));
  EXPECT_THAT(cluster.run().removed, ElementsAre("endpoint/a/ayoung"));
}

TEST(Feed, ThatIsFullIsSharedAmongNamespaces) {
  Cluster cluster(bounded({{10, kMany}, {5, kMany}}));
  for (int i = 0; i < 9; ++i) cluster.put(one("greedy", "n" + std::to_string(i), 9));
  EXPECT_THAT(cluster.keys(), SizeIs(5));
  EXPECT_THAT(cluster.reasons("greedy", "n8"), Contains("FeedFull"));
  cluster.put(one("small", "x")).put(one("small", "y"));
  EXPECT_THAT(cluster.keys(),
              testing::IsSupersetOf({"endpoint/small/smallx", "endpoint/small/smally"}));
  EXPECT_THAT(cluster.keys(), SizeIs(5));
}

TEST(Feed, BytesCountAndTextsOfOneIngressAreBounded) {
  Cluster cluster(bounded({{kMany, 5'000}, {kMany, kMany}}));
  Json large = one("a", "large", 1);
  std::string list = "s0";
  for (int i = 1; i < 900; ++i) list += ",s" + std::to_string(i);
  large["metadata"]["annotations"]["kernelgate.io/allow-subjects"] = list;
  cluster.put(large).put(one("a", "old", 2));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/aold"));
  EXPECT_THAT(cluster.reasons("a", "large"), Contains("NamespaceFull"));
  // Sixteen Services would each carry the whole of a large Secret.
  Cluster other;
  Json many = one("a", "many");
  for (int i = 0; i < 15; ++i) {
    const std::string at = "/" + std::to_string(i);
    many["spec"]["rules"][0]["http"]["paths"].push_back(
        {{"path", at}, {"pathType", "Prefix"}, {"backend", target("s" + std::to_string(i))}});
  }
  EXPECT_THAT(other.put(many).keys(), SizeIs(16));
  many["metadata"]["annotations"]["kernelgate.io/gateway-ca-secret"] = "ca";
  const auto made = tls::CertificateText::self_signed();
  other.put(Kind::kSecret, secret("a", "ca", {{"ca.crt", made.chain + std::string(100'000, '#')}}));
  other.put(many);
  EXPECT_THAT(other.reasons("a", "many"), testing::IsSupersetOf({"TooLarge", "LastGoodServes"}));
  EXPECT_THAT(other.keys(), SizeIs(16));
}

TEST(Feed, CertificatesCountAndTheirSecretsHearOfIt) {
  Cluster cluster(bounded({{2, kMany}, {kMany, kMany}}));
  const auto made = tls::CertificateText::self_signed();
  Json object = one("a", "i", 5);
  for (const char* name : {"one", "two"}) {
    Json pair =
        secret("a", name, {{"tls.crt", made.chain}, {"tls.key", std::string(made.key.reveal())}},
               "kubernetes.io/tls");
    cluster.put(Kind::kSecret, pair);
    object["spec"]["tls"].push_back(
        {{"secretName", name}, {"hosts", {std::string(name) + ".test"}}});
  }
  cluster.put(object);
  EXPECT_THAT(cluster.keys(), ElementsAre("certificate/a/one", "endpoint/a/ai"));
  EXPECT_THAT(cluster.reasons("a", "two", Kind::kSecret), ElementsAre("NamespaceFull"));
  cluster.erase(Kind::kIngress, "a", "i");
  EXPECT_THAT(cluster.keys(), IsEmpty());
  EXPECT_THAT(cluster.reasons("a", "two", Kind::kSecret), IsEmpty());
}

TEST(Feed, NobodyHoldsMoreHostsThanHisNamespaceMay) {
  Cluster cluster(bounded({{kMany, kMany}, {kMany, kMany}}, 2));
  cluster.put(ingress("a", "old", {{"1.test", "/"}, {"2.test", "/"}}, with_id("old"), 5));
  cluster.put(ingress("a", "squatter", {{"free.test", "/"}}, with_id("squatter"), 4));
  cluster.put(ingress("b", "late", {{"free.test", "/"}}, with_id("late"), 1));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/old", "endpoint/b/late"));
  EXPECT_THAT(cluster.reasons("a", "squatter"), ElementsAre("NamespaceFull"));
  // Room comes too late: another one has it.
  cluster.erase(Kind::kIngress, "a", "old");
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/b/late"));
  EXPECT_THAT(cluster.reasons("a", "squatter"), Contains("HostTaken"));
}

TEST(Feed, OneIngressNamesAtMostSoManyHosts) {
  Cluster cluster;
  std::vector<Path> paths;
  for (size_t i = 0; i <= kHostsMax; ++i) paths.push_back({"h" + std::to_string(i) + ".test", "/"});
  cluster.put(ingress("analytics", "i", paths, with_id("abc")));
  EXPECT_THAT(cluster.routes("endpoint/analytics/abc"), SizeIs(kHostsMax));
  EXPECT_THAT(cluster.reasons("analytics", "i"), Contains("TooManyHosts"));
}

// Each of many Secrets without hosts would be for all hosts of the rules.
TEST(Feed, CertificatesOfOneIngressAreForAtMostSoManyHostsTogether) {
  Cluster cluster;
  std::vector<Path> paths;
  for (size_t i = 0; i < kHostsMax; ++i) paths.push_back({"h" + std::to_string(i) + ".test", "/"});
  Json object = ingress("analytics", "i", paths, with_id("abc"));
  for (size_t i = 0; i < kTlsEntriesMax; ++i)
    object["spec"]["tls"].push_back({{"secretName", "s" + std::to_string(i)}});
  cluster.put(object);
  EXPECT_THAT(cluster.reasons("analytics", "i"), Contains("TooManyHosts"));
  EXPECT_THAT(cluster.message("analytics", "i"), HasSubstr("spec.tls[4] and what follows"));
  const auto& certificates = cluster.compiler().view({"analytics", "i"})->certificates;
  EXPECT_THAT(certificates, SizeIs(kCertificateNamesMax / kHostsMax));
  EXPECT_THAT(certificates.back().hosts, SizeIs(kHostsMax));
}

TEST(Feed, AHostCountsOnceForEachOfItsCertificates) {
  Cluster cluster(bounded({{kMany, kMany}, {kMany, kMany}}, 3));
  Json object = one("a", "i");
  for (const char* name : {"one", "two", "three"})
    object["spec"]["tls"].push_back({{"secretName", name}});
  cluster.put(object);
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/ai"));
  object["spec"]["tls"].push_back({{"secretName", "four"}});
  cluster.put(object);
  EXPECT_THAT(cluster.keys(), IsEmpty());
  EXPECT_THAT(cluster.reasons("a", "i"), ElementsAre("NamespaceFull"));
}

// ---- hosts ----

class TwoClasses : public testing::Test {
 protected:
  TwoClasses() {
    cluster.put(Kind::kConfigMap, config_map("open", {{"hosts-across-namespaces", "allow"}}));
    cluster.put(Kind::kIngressClass, ingress_class("open", "open"));
  }
  static Json of(const std::string& class_name, Json object) {
    object["spec"]["ingressClassName"] = class_name;
    return object;
  }
  Cluster cluster;
};

TEST_F(TwoClasses, TheMilderOneOpensNoHostOfTheOthers) {
  cluster.put(ingress("a", "i", {{"a.test", "/"}, {"*.wild.test", "/"}}, with_id("a"), 5));
  const Json guest = ingress("b", "i", {{"a.test", "/x"}, {"x.wild.test", "/"}}, with_id("b"), 1);
  cluster.put(of("open", guest));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/a"));
  EXPECT_THAT(cluster.reasons("b", "i"), Contains("HostTaken"));
  // Both sides share.
  cluster.put(
      of("open", ingress("a", "i", {{"a.test", "/"}, {"*.wild.test", "/"}}, with_id("a"), 5)));
  EXPECT_THAT(cluster.routes("endpoint/b/b"),
              ElementsAre("a.test /x Prefix", "x.wild.test / Prefix"));
  // Any Ingress of the host's namespace that does not share keeps it for that namespace, whatever
  // its age.
  cluster.put(ingress("a", "late", {{"a.test", "/mine"}}, with_id("late")));
  EXPECT_THAT(cluster.routes("endpoint/b/b"), ElementsAre("x.wild.test / Prefix"));
  cluster.erase(Kind::kIngress, "a", "late");
  EXPECT_THAT(cluster.routes("endpoint/b/b"), SizeIs(2));
}

TEST_F(TwoClasses, NobodyClosesWhatOthersShare) {
  cluster.put(of("open", ingress("a", "i", {{"a.test", "/"}}, with_id("a"), 5)));
  cluster.put(of("open", ingress("b", "i", {{"a.test", "/b"}}, with_id("b"), 4)));
  cluster.put(ingress("c", "i", {{"a.test", "/c"}}, with_id("c"), 3));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/a", "endpoint/b/b"));
}

// ---- what is remembered ----

TEST(Memory, AnotherObjectOfTheSameNameInheritsNothing) {
  Cluster cluster;
  Json object = one("analytics", "i");
  object["metadata"]["uid"] = "1";
  EXPECT_THAT(cluster.put(object).keys(), SizeIs(1));
  object["metadata"]["annotations"]["kernelgate.io/gone-after"] = "soon";
  EXPECT_THAT(cluster.put(object).keys(), SizeIs(1));
  // Deleted and made again before anybody looked.
  object["metadata"]["uid"] = "2";
  cluster.erase(Kind::kIngress, "analytics", "i");
  EXPECT_THAT(cluster.put(object).keys(), IsEmpty());
  EXPECT_THAT(cluster.reasons("analytics", "i"), Not(Contains("LastGoodServes")));
  object["metadata"]["annotations"].erase("kernelgate.io/gone-after");
  EXPECT_THAT(cluster.put(object).keys(), SizeIs(1));
  object["metadata"]["annotations"]["kernelgate.io/endpoint-id"] = "A";
  object["metadata"]["uid"] = "3";
  EXPECT_THAT(cluster.put(object).keys(), IsEmpty());
}

TEST(Memory, NorDoesItInheritACertificate) {
  Cluster cluster;
  const auto made = tls::CertificateText::self_signed();
  const auto pair = [&](const std::string& key) {
    return secret("analytics", "tls", {{"tls.crt", made.chain}, {"tls.key", key}},
                  "kubernetes.io/tls");
  };
  Json object = one("analytics", "i");
  object["spec"]["tls"] = {{{"secretName", "tls"}}};
  object["metadata"]["uid"] = "1";
  cluster.put(Kind::kSecret, pair(std::string(made.key.reveal()))).put(object);
  EXPECT_THAT(cluster.keys(), Contains("certificate/analytics/tls"));
  cluster.put(Kind::kSecret, pair("none"));
  EXPECT_THAT(cluster.keys(), Contains("certificate/analytics/tls"));
  object["metadata"]["uid"] = "2";
  cluster.put(object);
  EXPECT_THAT(cluster.keys(), Not(Contains("certificate/analytics/tls")));
}

}  // namespace kg::ingress::tenants_test
