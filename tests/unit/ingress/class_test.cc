// What a class says is narrowed and never widened by its Ingresses (domain A29), and what is shared
// is taken in bounds; texts that no proxy could use go no further.
#include <gmock/gmock.h>

#include "cluster.h"
#include "proxy/tls/certificate.h"
#include "routing/controller/ingress/narrowing.h"

namespace kg::ingress::class_test {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Annotations with_id(const std::string& id, Annotations more = {}) {
  more.emplace("kernelgate.io/endpoint-id", id);
  return sessions(std::move(more));
}

using Data = std::map<std::string, std::string>;

class OfClass {
 public:
  OfClass(const OfClass&) = delete;
  OfClass& operator=(const OfClass&) = delete;
  explicit OfClass(Data parameters) {
    parameters.emplace("issuer", "https://studio.example.com");
    parameters.emplace("audience", "kernelgate");
    parameters.emplace("jwks-url", "https://studio.example.com/jwks");
    cluster.put(Kind::kConfigMap, config_map("p", parameters));
    cluster.put(Kind::kIngressClass, ingress_class("kernelgate", "p"));
  }
  OfClass& annotate(const Annotations& annotations) {
    Annotations all{{"kernelgate.io/endpoint-id", "abc"}};
    for (const auto& [name, value] : annotations) all["kernelgate.io/" + name] = value;
    cluster.put(ingress("analytics", "i", {{"a.test", "/"}}, all));
    return *this;
  }
  std::vector<std::string> reasons() { return cluster.reasons("analytics", "i"); }
  std::string message() { return cluster.message("analytics", "i"); }
  Json config() { return cluster.payload("endpoint/analytics/abc")["config"]; }
  Cluster cluster;
};

TEST(Class, WhatItSaysIsNarrowedAndNeverWidened) {
  struct Case {
    const char* annotation;
    const char* of_class;
    const char* narrower;
    const char* wider;
  };
  for (const Case& one :
       std::vector<Case>{{"audience", "kernelgate", "kernelgate", "everything"},
                         {"realm", "studio", "studio", "partners"},
                         {"subject-claim", "oid", "oid", "email"},
                         {"endpoint-claim", "endpoint", "endpoint", "iss"},
                         {"groups-claim", "roles", "roles", "sub"},
                         {"virtual-cluster-claim", "virtual_cluster", "virtual_cluster", "sub"},
                         {"algorithms", "ES256, EdDSA", "EdDSA", "RS256"},
                         {"allow-realms", "studio, partners", "studio", "guests"},
                         {"allow-subjects", "alice, bob", "bob", "carol"},
                         {"allow-groups", "a, b", "a", "a, b, c"},
                         {"support-groups", "a, b", "a", "c"},
                         {"sharing", "group:a", "owner", "group:b"},
                         {"sharing", "group:a", "group:a", "endpoint"},
                         {"on-expiry", "close", "close", "keep"},
                         {"expiry-grace", "5m", "0s", "301s"},
                         {"max-lifetime", "10h", "1h", "none"},
                         {"other-paths", "deny", "deny", "forward"},
                         {"foreign-ids", "deny", "deny", "endpoint"},
                         {"allowed-origins", "https://a.test", "https://a.test", "https://b.test"},
                         {"allow-sources", "10.0.0.0/8, 192.0.2.7", "192.0.2.7", "0.0.0.0/0"},
                         {"kernel-specs", "python3, r", "r", "julia"},
                         {"kernel-env-pass", "A, B", "A", "C"},
                         {"kernel-env-deny", "A", "B, A", "B"},
                         {"spark-conf", "spark.a, spark.b", "spark.a", "spark.c"}}) {
    Data parameters{{one.annotation, one.of_class}};
    if (std::string_view(one.annotation).ends_with("-realms")) parameters["allow-groups"] = "g";
    OfClass setting(parameters);
    setting.annotate({{one.annotation, one.narrower}});
    EXPECT_THAT(setting.reasons(), IsEmpty()) << one.annotation << setting.message();
    EXPECT_THAT(setting.cluster.keys(), SizeIs(1)) << one.annotation;
    OfClass other(parameters);
    other.annotate({{one.annotation, one.wider}});
    EXPECT_THAT(other.reasons(), ElementsAre("AnnotationNotAllowed")) << one.annotation;
    EXPECT_THAT(other.cluster.keys(), IsEmpty()) << one.annotation;
  }
}

TEST(Class, GroupsAreNoWayAroundItsSubjects) {
  OfClass setting(Data{{"allow-subjects", "alice"}});
  EXPECT_THAT(setting.annotate({{"allow-groups", "g"}}).reasons(),
              ElementsAre("AnnotationNotAllowed"));
  OfClass everybody(Data{{"allow-subjects", "*"}});
  EXPECT_THAT(everybody.annotate({{"allow-groups", "g"}}).reasons(), IsEmpty());
}

TEST(Class, AnIssuerOfItsOwnHasItsOwnClaims) {
  OfClass setting(Data{{"realm", "studio"}, {"subject-claim", "oid"}});
  setting.annotate({{"issuer", "https://other.test"},
                    {"jwks-url", "https://other.test/jwks"},
                    {"audience", "other"},
                    {"subject-claim", "sub"}});
  EXPECT_THAT(setting.reasons(), IsEmpty());
}

TEST(Class, WhatAllShareIsTakenInBoundsWithoutAnyClass) {
  for (const ReachInfo& info : reaches()) {
    const std::string name(info.annotation);
    const std::string beyond = info.is_most ? "5000" : "500ms";
    if (name == "jwks-refresh") {
      EXPECT_THAT(OfClass(Data{}).annotate({{name, "59s"}}).reasons(),
                  Contains("AnnotationNotAllowed"));
      continue;
    }
    OfClass setting(Data{});
    setting.annotate({{name, std::string(info.bound)}});
    EXPECT_THAT(setting.reasons(), IsEmpty()) << name << setting.message();
    setting.annotate({{name, beyond}});
    EXPECT_THAT(setting.reasons(), Contains("AnnotationNotAllowed")) << name;
    EXPECT_THAT(setting.message(), HasSubstr(std::string(info.bound)));
    // The class knows its machines.
    OfClass wide(Data{{name, beyond}});
    EXPECT_THAT(wide.annotate({{name, beyond}}).reasons(), IsEmpty()) << name;
  }
}

TEST(Class, BoundsABurstByItsRate) {
  OfClass setting(Data{{"max-quota-requests-per-second", "50"}});
  setting.annotate({{"quota-request-burst", "51"}});
  EXPECT_THAT(setting.reasons(), ElementsAre("QuotaNotAllowed"));
  setting.annotate({{"quota-request-burst", "50"}});
  EXPECT_THAT(setting.reasons(), IsEmpty());
  OfClass own(Data{{"max-quota-requests-per-second", "50"}, {"max-quota-request-burst", "20"}});
  own.annotate({});
  EXPECT_EQ(own.config()["quotas"]["requests_per_second"], "50");
  EXPECT_EQ(own.config()["quotas"]["request_burst"], "20");
  EXPECT_THAT(own.annotate({{"quota-request-burst", "21"}}).reasons(),
              ElementsAre("QuotaNotAllowed", "LastGoodServes"));
  own.annotate({{"quota-requests-per-second", "5"}});
  EXPECT_FALSE(own.config()["quotas"].contains("request_burst"));
}

// Nothing counts kernels where the caller's token goes up: of a class that forwards, its gateways
// do; a tenant does not get out of a maximum that way.
TEST(Class, ItsMaximumOfKernelsAndForward) {
  const Annotations forward{{"gateway-credentials", "forward"},
                            {"sessions-by-gateway", "/api/kernelspecs"}};
  OfClass counting(Data{{"max-quota-kernels", "5"}});
  EXPECT_THAT(counting.annotate(forward).reasons(), ElementsAre("QuotaNotAllowed"));
  EXPECT_THAT(counting.cluster.keys(), IsEmpty());
  OfClass usual(Data{{"quota-kernels", "5"}});
  EXPECT_THAT(usual.annotate(forward).reasons(), ElementsAre("ForwardTakesOnePod"));
  OfClass forwarding(Data{{"max-quota-kernels", "5"}, {"gateway-credentials", "forward"}});
  forwarding.annotate({{"sessions-by-gateway", "/api/kernelspecs"}});
  EXPECT_THAT(forwarding.reasons(), ElementsAre("ForwardTakesOnePod"));
  EXPECT_FALSE(forwarding.config().contains("quotas"));
  EXPECT_THAT(forwarding.cluster.reasons("platform", "p", Kind::kConfigMap),
              ElementsAre("KernelsNotCounted"));
  EXPECT_EQ(forwarding.annotate({{"gateway-credentials", "own"}}).config()["quotas"]["kernels"],
            "5");
}

TEST(Class, ThatContradictsItselfIsUnusable) {
  OfClass setting(Data{{"max-quota-kernels", "5"}, {"quota-kernels", "6"}});
  EXPECT_THAT(setting.annotate({}).reasons(), ElementsAre("ClassUnusable"));
}

TEST(Class, AnIdThatNobodyMayGiveIsNotHeldByGivingIt) {
  Cluster cluster;
  cluster.put(Kind::kConfigMap, config_map("p", {{"locked-annotations", "endpoint-id"}}));
  cluster.put(Kind::kIngressClass, ingress_class("locked", "p"));
  Json squatter = ingress("a", "i", {{"a.test", "/"}}, with_id("abc"), 5);
  squatter["spec"]["ingressClassName"] = "locked";
  cluster.put(squatter);
  cluster.put(ingress("b", "i", {{"b.test", "/"}}, with_id("abc"), 1));
  EXPECT_THAT(cluster.keys(), ElementsAre("endpoint/b/abc"));
  EXPECT_THAT(cluster.reasons("a", "i"), Contains("LockedAnnotation"));
}

// ---- texts that proxies would refuse, and all that comes with them ----

TEST(Texts, AreJudgedBeforeTheyArePublished) {
  Cluster cluster;
  const auto made = tls::CertificateText::self_signed();
  const auto other = tls::CertificateText::self_signed();
  const auto key = [](const tls::CertificateText& of) { return std::string(of.key.reveal()); };
  cluster.put(Kind::kSecret, secret("analytics", "s",
                                    {{"token", std::string(8 * 1024 + 1, 'x')},
                                     {"spaces", "a b"},
                                     {"no.crt", "-----BEGIN CERTIFICATE-----\nx"},
                                     {"ca.crt", made.chain}}));
  cluster.put(Kind::kSecret,
              secret("analytics", "pair",
                     {{"tls.crt", made.chain}, {"tls.key", key(made)}, {"ca.crt", "none"}}));
  cluster.put(Kind::kSecret,
              secret("analytics", "mixed", {{"tls.crt", made.chain}, {"tls.key", key(other)}}));
  for (const auto& [annotation, value, reason] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"gateway-token-secret", "s", "InvalidToken"},
           {"gateway-token-secret", "s/spaces", "InvalidToken"},
           {"gateway-ca-secret", "s/no.crt", "InvalidAuthorities"},
           {"jwks-ca-secret", "s/no.crt", "InvalidAuthorities"},
           {"gateway-client-secret", "pair", "InvalidAuthorities"},
           {"gateway-client-secret", "mixed", "InvalidCertificate"}}) {
    cluster.put(ingress("analytics", "i", {{"a.test", "/"}},
                        with_id("abc", {{"kernelgate.io/jwks-ca-secret", "s"}})));
    EXPECT_THAT(cluster.reasons("analytics", "i"), IsEmpty());
    cluster.put(ingress("analytics", "i", {{"a.test", "/"}},
                        with_id("abc", {{"kernelgate.io/" + annotation, value}})));
    EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre(reason, "LastGoodServes"))
        << annotation;
    EXPECT_THAT(cluster.message("analytics", "i"), HasSubstr("kernelgate.io/" + annotation + ": "));
    EXPECT_THAT(cluster.payload("endpoint/analytics/abc")["files"].dump(), HasSubstr("BEGIN CERT"));
  }
}

}  // namespace kg::ingress::class_test
