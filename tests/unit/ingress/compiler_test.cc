// What the compiler publishes, remembers and looks at again.
#include "routing/controller/ingress/compiler.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "cluster.h"
#include "config/endpoint_loader.h"
#include "proxy/tls/certificate.h"

namespace kg::ingress::compiler_test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string id_of(int i) { return "e" + std::to_string(i); }

Json numbered(int i, const std::string& host = "kernels.example.com") {
  return ingress("analytics", "i" + std::to_string(i), {{host, "/" + id_of(i)}},
                 sessions({{"kernelgate.io/endpoint-id", id_of(i)}}));
}

TEST(Compiler, AnItemIsAKeyAScopeAndAPayloadThatTheProxyCanRead) {
  Cluster cluster;
  cluster.put(numbered(1));
  const Changes changes = cluster.run();
  ASSERT_EQ(changes.items.size(), 1U);
  const feed::Item& item = changes.items[0];
  EXPECT_EQ(item.key, "endpoint/analytics/e1");
  EXPECT_EQ(item.scope_namespace, "analytics");
  EXPECT_EQ(item.endpoint, "e1");
  const Json payload = Json::parse(*item.payload);
  EXPECT_EQ(payload["schema"], 1);
  EXPECT_EQ(payload["kind"], "endpoint");
  EXPECT_EQ(payload["namespace"], "analytics");
  config::Texts texts;
  for (const auto& [name, file] : payload["files"].items()) texts[name] = file;
  const config::LoadedEndpoint loaded = config::load_endpoint(payload["config"].dump(), texts);
  ASSERT_TRUE(loaded.endpoint);
  EXPECT_EQ(loaded.endpoint->id, "e1");
  EXPECT_EQ(loaded.endpoint->virtual_cluster, "analytics");
}

TEST(Compiler, InSlicesTheSameComesOutAndWhatChangesBetweenThemCounts) {
  Cluster whole, sliced;
  const auto edit = [](Cluster& cluster) {
    cluster.erase(Kind::kIngress, "analytics", "i0").put(numbered(1, "moved.example.com"));
    cluster.put(Kind::kService, service("analytics", "jeg", "", 9999)).put(numbered(50));
  };
  for (Cluster* cluster : {&whole, &sliced}) {
    for (int i = 0; i < 20; ++i) cluster->put(numbered(i));
  }
  const Changes first = sliced.compiler().run(3);
  EXPECT_FALSE(first.is_whole);
  EXPECT_THAT(first.items, IsEmpty());
  EXPECT_THAT(sliced.compiler().items(), IsEmpty());
  edit(whole);
  edit(sliced);
  Changes last = sliced.compiler().run(3);
  for (int slices = 0; !last.is_whole; last = sliced.compiler().run(3)) ASSERT_LT(++slices, 20);
  const auto texts = [](const std::vector<feed::Item>& items) {
    std::map<std::string, std::string> out;
    for (const feed::Item& item : items) out[item.key] = *item.payload;
    return out;
  };
  const Changes at_once = whole.run();
  EXPECT_EQ(texts(last.items), texts(at_once.items));
  EXPECT_EQ(last.items.size(), 20U);
  EXPECT_EQ(last.judged, at_once.judged);
  EXPECT_EQ(texts(sliced.compiler().items()), texts(whole.compiler().items()));
  EXPECT_TRUE(sliced.compiler().run(3).is_whole);
}

TEST(Compiler, EditsWithoutPauseHoldUpNoSlices) {
  Cluster cluster;
  for (int i = 0; i < 40; ++i) cluster.put(numbered(i));
  int slices = 0;
  for (bool is_whole = false; !is_whole; is_whole = cluster.compiler().run(5).is_whole) {
    ASSERT_LT(++slices, 50);
    for (int i = 0; i < 10; ++i) cluster.put(numbered(10 * (slices % 4) + i, "edited.example.com"));
  }
  EXPECT_THAT(cluster.compiler().items(), testing::SizeIs(40));
}

TEST(Compiler, WhatDidNotChangeIsNotPublishedAgain) {
  Cluster cluster;
  cluster.put(numbered(1)).run();
  Json same = numbered(1);
  same["metadata"]["labels"] = {{"touched", "yes"}};
  cluster.put(same);
  const Changes changes = cluster.run();
  EXPECT_EQ(changes.compiled, 1U);
  EXPECT_THAT(changes.items, IsEmpty());
  EXPECT_THAT(changes.removed, IsEmpty());
  EXPECT_THAT(changes.judged, IsEmpty());
  same["metadata"]["resourceVersion"] = "7";
  cluster.put(same).run();
  EXPECT_EQ(cluster.put(same).run().compiled, 0U);
}

TEST(Compiler, AnEditCostsWhatItConcerns) {
  Cluster cluster;
  constexpr int kMany = 300;
  for (int i = 0; i < kMany; ++i) {
    cluster.put(numbered(i, i % 2 == 0 ? "kernels.example.com" : id_of(i) + ".example.com"));
    if (i >= 2) continue;
    const std::string own = "own" + std::to_string(i);
    cluster.put(Kind::kService, service("analytics", own));
  }
  cluster.put(ingress("analytics", "own", {{"own.example.com", "/", "Prefix", "own0"}},
                      sessions({{"kernelgate.io/endpoint-id", "own"}})));
  EXPECT_EQ(cluster.run().compiled, kMany + 1U);
  Json edited = numbered(8);
  edited["metadata"]["annotations"]["kernelgate.io/quota-kernels"] = "5";
  EXPECT_EQ(cluster.put(edited).run().compiled, 1U);
  EXPECT_EQ(cluster.erase(Kind::kIngress, "analytics", "i8").run().compiled, 1U);
  EXPECT_EQ(cluster.put(numbered(8)).run().compiled, 1U);
  cluster.put(Kind::kEndpointSlice, slice("analytics", "own-1", "own0", {pod("o", "10.1.0.1")}));
  const Changes changes = cluster.run();
  EXPECT_EQ(changes.compiled, 1U);
  EXPECT_EQ(changes.items.size(), 1U);
  cluster.put(Kind::kSecret, secret("analytics", "unrelated", {{"a", "b"}}));
  cluster.put(Kind::kConfigMap, config_map("unrelated", {{"a", "b"}}));
  EXPECT_EQ(cluster.run().compiled, 0U);
}

using Texts = std::vector<std::pair<std::string, std::string>>;

// All that a compiler says.
Texts said_by(const Compiler& compiler) {
  Texts out;
  for (const feed::Item& item : compiler.items()) out.emplace_back(item.key, *item.payload);
  for (const ObjectRef& ref : compiler.judged()) {
    for (const Finding& finding : compiler.findings(ref))
      out.emplace_back(ref.text(), finding.reason + finding.message);
  }
  return out;
}

// Objects that want the same things of each other.
std::vector<std::pair<Kind, Json>> contenders() {
  std::vector<std::pair<Kind, Json>> out;
  out.emplace_back(Kind::kIngressClass, ingress_class("kernelgate", "p", true));
  out.emplace_back(Kind::kConfigMap, config_map("p", {{"quota-kernels", "4"}}));
  for (const char* space : {"a", "b"}) {
    out.emplace_back(Kind::kService, service(space, "jeg"));
    out.emplace_back(Kind::kEndpointSlice,
                     slice(space, "s", "jeg", {pod("p", "10.0.0.1"), pod("q", "10.0.0.2")}));
    out.emplace_back(Kind::kSecret, secret(space, "tls", {}, "kubernetes.io/tls"));
    for (int i = 0; i < 4; ++i) {
      Json object = ingress(space, "i" + std::to_string(i),
                            {{"shared.example.com", "/" + std::to_string(i % 2)},
                             {std::string(space) + ".example.com", "/"},
                             {"*.example.com", "/"}},
                            sessions({{"kernelgate.io/endpoint-id", id_of(i)}}), i);
      object["metadata"]["uid"] = space + std::to_string(i);
      out.emplace_back(Kind::kIngress, object);
    }
  }
  return out;
}

TEST(Compiler, WithinATurnTheOrderOfEventsDoesNotMatter) {
  std::vector<std::pair<Kind, Json>> objects = contenders();
  std::mt19937 random(7);
  std::ranges::shuffle(objects, random);
  const auto middle = objects.begin() + static_cast<long>(objects.size() / 2);
  Texts first;
  for (int round = 0; round < 20; ++round) {
    Compiler compiler;
    std::shuffle(objects.begin(), middle, random);
    std::shuffle(middle, objects.end(), random);
    for (auto at = objects.begin(); at != objects.end(); ++at) {
      if (at == middle) compiler.run();  // those of then have what they have
      compiler.put(at->first, at->second);
    }
    compiler.run();
    if (round == 0) first = said_by(compiler);
    ASSERT_EQ(said_by(compiler), first) << "round " << round;
  }
  EXPECT_GT(first.size(), 8U);
}

TEST(Compiler, AnIdThatChangesHandsIsOneUpdate) {
  Cluster cluster;
  cluster.put(ingress("analytics", "older", {{"a.example.com", "/"}},
                      sessions({{"kernelgate.io/endpoint-id", "abc"}}), 2));
  cluster.put(ingress("analytics", "younger", {{"b.example.com", "/"}},
                      sessions({{"kernelgate.io/endpoint-id", "abc"}}), 1));
  cluster.run();
  cluster.erase(Kind::kIngress, "analytics", "older");
  const Changes changes = cluster.run();
  EXPECT_THAT(changes.removed, IsEmpty());
  ASSERT_EQ(changes.items.size(), 1U);
  EXPECT_THAT(*changes.items[0].payload, HasSubstr("b.example.com"));
}

Json with_tls(const std::string& space, const std::string& name, const std::string& host,
              const std::string& secret_name, int age = 0) {
  Json out = ingress(space, name, {{host, "/"}}, sessions(), age);
  out["spec"]["tls"] = {{{"hosts", {host}}, {"secretName", secret_name}}};
  return out;
}

Json pair_of(const std::string& space, const std::string& name, const tls::CertificateText& chain,
             const tls::CertificateText& key) {
  return secret(space, name, {{"tls.crt", chain.chain}, {"tls.key", std::string(key.key.reveal())}},
                "kubernetes.io/tls");
}

constexpr const char* kCertificate = "certificate/analytics/tls";

TEST(Certificates, AreOfTheHostsThatNameThem) {
  Cluster cluster;
  const auto made = tls::CertificateText::self_signed();
  cluster.put(Kind::kSecret, pair_of("analytics", "tls", made, made));
  cluster.put(with_tls("analytics", "i", "a.example.com", "tls"));
  cluster.put(with_tls("analytics", "k", "b.example.com", "tls"));
  const Json payload = cluster.payload(kCertificate);
  EXPECT_EQ(payload["kind"], "certificate");
  EXPECT_EQ(payload["hosts"], Json({"a.example.com", "b.example.com"}));
  EXPECT_EQ(payload["chain"], made.chain);
  EXPECT_EQ(payload["key"], made.key.reveal());
  cluster.erase(Kind::kIngress, "analytics", "i");
  EXPECT_EQ(cluster.payload(kCertificate)["hosts"], Json({"b.example.com"}));
  cluster.erase(Kind::kIngress, "analytics", "k");
  EXPECT_THAT(cluster.run().removed, testing::Contains(kCertificate));
}

TEST(Certificates, ABrokenOneAffectsItsHostsOnlyAndTheLastGoodOneStays) {
  Cluster cluster;
  const auto first = tls::CertificateText::self_signed();
  const auto second = tls::CertificateText::self_signed();
  cluster.put(with_tls("analytics", "i", "a.example.com", "tls"));
  EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre("CertificateUnusable"));
  EXPECT_EQ(cluster.keys().size(), 1U);  // the endpoint
  cluster.put(Kind::kSecret, pair_of("analytics", "tls", first, second));
  EXPECT_THAT(cluster.message("analytics", "i"), HasSubstr("cannot be used"));
  EXPECT_EQ(cluster.payload(kCertificate), nullptr);
  cluster.put(Kind::kSecret, pair_of("analytics", "tls", first, first));
  EXPECT_EQ(cluster.payload(kCertificate)["chain"], first.chain);
  cluster.put(Kind::kSecret, secret("analytics", "tls", {{"tls.crt", "x"}}, "kubernetes.io/tls"));
  EXPECT_THAT(cluster.reasons("analytics", "i"), ElementsAre("CertificateUnusable"));
  EXPECT_EQ(cluster.payload(kCertificate)["chain"], first.chain);
  cluster.put(Kind::kSecret, pair_of("analytics", "tls", second, second));
  EXPECT_EQ(cluster.payload(kCertificate)["chain"], second.chain);
}

TEST(Certificates, NobodyShowsOneForAnothersHost) {
  Cluster cluster;
  const auto made = tls::CertificateText::self_signed();
  cluster.put(Kind::kSecret, pair_of("other", "tls", made, made));
  cluster.put(ingress("analytics", "i", {{"a.example.com", "/"}}, sessions(), 5));
  cluster.put(with_tls("other", "thief", "a.example.com", "tls", 1));
  EXPECT_EQ(cluster.payload("certificate/other/tls"), nullptr);
  EXPECT_THAT(cluster.reasons("other", "thief"), testing::Contains("HostTaken"));
}

TEST(Certificates, OfTwoSecretsTheOlderObjectsCounts) {
  Cluster cluster;
  const auto made = tls::CertificateText::self_signed();
  for (const char* name : {"one", "two"})
    cluster.put(Kind::kSecret, pair_of("analytics", name, made, made));
  cluster.put(with_tls("analytics", "older", "a.example.com", "one", 5));
  Json younger = with_tls("analytics", "younger", "a.example.com", "two", 1);
  younger["spec"]["rules"][0]["http"]["paths"][0]["path"] = "/x";
  cluster.put(younger);
  EXPECT_NE(cluster.payload("certificate/analytics/one"), nullptr);
  EXPECT_EQ(cluster.payload("certificate/analytics/two"), nullptr);
  EXPECT_THAT(cluster.reasons("analytics", "younger"), testing::Contains("CertificateTaken"));
}

TEST(Compiler, WhatIsNoObjectOfTheKindIsSurvived) {
  Cluster cluster;
  for (const char* text :
       {"null", "[]", "{}", R"({"metadata":{"name":1}})", R"({"metadata":{"name":"a\u0007"}})",
        R"({"metadata":{"name":"a"},"spec":[]})",
        R"({"metadata":{"name":"a","namespace":"n","annotations":[1]},"spec":{"rules":{"a":1}}})",
        R"({"metadata":{"name":"a","namespace":"n"},"spec":{"rules":[1,{"http":7}],"tls":[null]}})",
        R"({"metadata":{"name":"a","namespace":"n"},"endpoints":[{"addresses":[7]}],"ports":[0]})",
        R"({"metadata":{"name":"a","namespace":"n"},"data":{"tls.crt":7,"x":"%%%"}})"}) {
    for (const Kind kind : {Kind::kIngress, Kind::kIngressClass, Kind::kService,
                            Kind::kEndpointSlice, Kind::kSecret, Kind::kConfigMap}) {
      cluster.put(kind, Json::parse(text));
      cluster.run();
    }
  }
  EXPECT_THAT(cluster.keys(), IsEmpty());
}

}  // namespace kg::ingress::compiler_test
