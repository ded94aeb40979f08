// Who has a host, a path, an endpoint id or a host's certificate keeps it as long as he claims it,
// whoever claims it then; what he gives up goes to the oldest of them.
#include <gmock/gmock.h>

#include "cluster.h"
#include "proxy/tls/certificate.h"

namespace kg::ingress::incumbents_test {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

Annotations with_id(const std::string& id) { return sessions({{"kernelgate.io/endpoint-id", id}}); }

Json of(const std::string& uid, Json object) {
  object["metadata"]["uid"] = uid;
  return object;
}

constexpr int kOld = 8;

TEST(Incumbents, AnOlderIngressThatIsEditedTakesNoIdAndNoHost) {
  Cluster cluster;
  cluster.put(ingress("a", "old", {{"old.test", "/"}}, with_id("old"), kOld));
  cluster.put(ingress("b", "young", {{"young.test", "/"}, {"-", "/young"}}, with_id("young")));
  const Json before = cluster.payload("endpoint/b/young");
  const std::vector<Path> all{{"young.test", "/"}, {"young.test", "/x"}, {"-", "/young/x"}};
  cluster.put(ingress("a", "old", all, with_id("young"), kOld));
  EXPECT_EQ(cluster.payload("endpoint/b/young"), before);
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/b/young"));
  EXPECT_THAT(cluster.reasons("a", "old"), ElementsAre("HostTaken", "HostTaken"));
  EXPECT_THAT(cluster.reasons("b", "young"), ElementsAre("ServiceNotFound"));
  // Nor by an edit of the one who has it.
  cluster.put(ingress("b", "young", {{"young.test", "/b"}, {"-", "/young"}}, with_id("young")));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/b/young"));
  // But what he gives up.
  cluster.put(ingress("b", "young", {{"-", "/young"}}, with_id("other")));
  EXPECT_THAT(cluster.routes("endpoint/a/young"),
              ElementsAre("young.test / Prefix", "young.test /x Prefix"));
  EXPECT_THAT(cluster.routes("endpoint/b/other"), ElementsAre(" /young Prefix"));
  cluster.put(ingress("b", "young", {{"young.test", "/"}}, with_id("young")));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/young")) << "now it is another's";
}

TEST(Incumbents, OfThoseWhoWaitTheOldestIsNext) {
  Cluster cluster;
  const auto one = [](const std::string& name, int age) {
    return ingress("n", name, {{name + ".test", "/"}, {"shared.test", "/"}}, with_id("id"), age);
  };
  cluster.put(one("holder", 1)).run();
  cluster.put(one("young", 2)).run();
  cluster.put(one("older", 3)).run();
  EXPECT_THAT(cluster.routes("endpoint/n/id"), Contains("holder.test / Prefix"));
  EXPECT_THAT(cluster.reasons("n", "older"),
              testing::IsSupersetOf({"PathTaken", "EndpointIdTaken"}));
  cluster.erase(Kind::kIngress, "n", "holder");
  EXPECT_THAT(cluster.routes("endpoint/n/id"),
              ElementsAre("older.test / Prefix", "shared.test / Prefix"));
}

TEST(Incumbents, NobodyTakesAHostByAWildcardAboveOrANameBelow) {
  Cluster cluster;
  cluster.put(ingress("b", "host", {{"a.test", "/"}}, with_id("host"), 1));
  cluster.put(ingress("b", "wild", {{"*.wild.test", "/"}}, with_id("wild"), 1)).run();
  cluster.put(
      ingress("a", "i", {{"*.test", "/"}, {"x.wild.test", "/"}, {"-", "/"}}, with_id("a"), kOld));
  EXPECT_THAT(cluster.routes("endpoint/b/host"), ElementsAre("a.test / Prefix"));
  EXPECT_THAT(cluster.routes("endpoint/a/a"),
              testing::UnorderedElementsAre("*.test / Prefix", " / Prefix"));
  // The name is given up: it is of who has the wildcard, which is older than the third's wish.
  cluster.put(ingress("c", "i", {{"a.test", "/"}}, with_id("c"), 2)).run();
  cluster.erase(Kind::kIngress, "b", "host");
  EXPECT_THAT(cluster.reasons("c", "i"), Contains("HostTaken"));
  cluster.erase(Kind::kIngress, "b", "wild");
  EXPECT_THAT(cluster.routes("endpoint/a/a"), Contains("x.wild.test / Prefix"));
}

TEST(Incumbents, AHostStaysWithItsNamespace) {
  Cluster cluster;
  cluster.put(ingress("b", "one", {{"b.test", "/1"}}, with_id("one"), 1)).run();
  cluster.put(ingress("a", "old", {{"b.test", "/"}}, with_id("old"), kOld)).run();
  // One Ingress takes another's place, in one turn or in two.
  cluster.erase(Kind::kIngress, "b", "one");
  cluster.put(ingress("b", "two", {{"b.test", "/2"}}, with_id("two"))).run();
  cluster.put(ingress("b", "three", {{"b.test", "/3"}}, with_id("three"))).run();
  cluster.erase(Kind::kIngress, "b", "two");
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/b/three"));
  cluster.erase(Kind::kIngress, "b", "three");
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/old"));
}

TEST(Incumbents, AnotherObjectOfTheSameNameHasNothing) {
  Cluster cluster;
  cluster.put(of("1", ingress("b", "i", {{"b.test", "/"}}, with_id("id"), 1))).run();
  cluster.put(of("2", ingress("a", "i", {{"a.test", "/"}}, with_id("id"), kOld)));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/b/id"));
  // Deleted and made again before anybody looked, even within the same second.
  cluster.put(of("3", ingress("b", "i", {{"b.test", "/"}}, with_id("id"), 1)));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/a/id"));
}

TEST(Incumbents, ADefaultBackendStillGivesWayToARule) {
  Cluster cluster;
  Json object = ingress("n", "default", {{"a.test", "/x"}}, with_id("default"), kOld);
  object["spec"]["defaultBackend"] = target("jeg");
  cluster.put(object);
  EXPECT_THAT(cluster.routes("endpoint/n/default"), Contains("a.test / Prefix"));
  cluster.put(ingress("n", "rule", {{"a.test", "/"}}, with_id("rule")));
  EXPECT_THAT(cluster.routes("endpoint/n/rule"), ElementsAre("a.test / Prefix"));
  EXPECT_THAT(cluster.routes("endpoint/n/default"), ElementsAre("a.test /x Prefix"));
  // A rule that has it and becomes a default target has it still, but for a rule.
  Json changed = ingress("n", "rule", {{"a.test", "/y"}}, with_id("rule"));
  changed["spec"]["defaultBackend"] = target("jeg");
  cluster.put(changed);
  EXPECT_THAT(cluster.routes("endpoint/n/rule"), Contains("a.test / Prefix"));
}

TEST(Incumbents, AHostKeepsItsCertificate) {
  Cluster cluster;
  const auto made = tls::CertificateText::self_signed();
  const auto with_tls = [](const std::string& name, const std::string& secret_name, int age) {
    Json out = ingress("n", name, {{"a.test", "/" + name}}, with_id(name), age);
    out["spec"]["tls"] = {{{"hosts", {"a.test"}}, {"secretName", secret_name}}};
    return out;
  };
  for (const char* name : {"one", "two"}) {
    cluster.put(
        Kind::kSecret,
        secret("n", name, {{"tls.crt", made.chain}, {"tls.key", std::string(made.key.reveal())}},
               "kubernetes.io/tls"));
  }
  cluster.put(with_tls("young", "one", 0)).run();
  cluster.put(with_tls("old", "two", kOld));
  EXPECT_THAT(cluster.keys(), Contains("certificate/n/one"));
  EXPECT_THAT(cluster.keys(), Not(Contains("certificate/n/two")));
  EXPECT_THAT(cluster.reasons("n", "old"), Contains("CertificateTaken"));
}

}  // namespace kg::ingress::incumbents_test
