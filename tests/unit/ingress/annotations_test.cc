// Annotations and class parameters: the table, what they become, and what they may not.
#include "routing/controller/ingress/annotations.h"

#include <gmock/gmock.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cluster.h"
#include "config/schema.h"
#include "routing/controller/ingress/fetch_rules.h"
#include "routing/controller/ingress/limits.h"
#include "routing/controller/ingress/narrowing.h"
#include "routing/controller/ingress/parameters.h"

namespace kg::ingress::annotations_test {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kKey = "endpoint/analytics/abc";

std::string readme() {
  const auto tests = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  std::ifstream file(tests.parent_path() / "routing" / "controller" / "README.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Annotations with(Annotations more) {
  more.emplace("kernelgate.io/endpoint-id", "abc");
  return sessions(std::move(more));
}

using Data = std::map<std::string, std::string>;

class Setting {
 public:
  explicit Setting(const Data& parameters = {}) {
    cluster.put(Kind::kConfigMap, config_map("p", parameters));
    cluster.put(Kind::kIngressClass, ingress_class("kernelgate", "p"));
  }
  Setting& annotate(const Annotations& annotations) {
    cluster.put(ingress("analytics", "i", {{"a.analytics.example.com", "/"}}, annotations));
    return *this;
  }
  Json config() { return cluster.payload(kKey)["config"]; }
  std::vector<std::string> reasons() { return cluster.reasons("analytics", "i"); }
  std::string message() { return cluster.message("analytics", "i"); }

  Cluster cluster;
};

TEST(Annotations, EachIsAKeyOfTheConfiguration) {
  for (const AnnotationInfo& info : annotations()) {
    if (info.kind == ValueKind::kOther) continue;
    std::string path(info.path);
    // Short for the first authenticator: its keys stand there.
    if (path.starts_with("sessions.jwt.")) path.insert(9, "authenticators[].");
    const config::KeyInfo* key = config::find_key("endpoints[]." + path);
    ASSERT_NE(key, nullptr) << info.name;
    EXPECT_EQ(info.kind == ValueKind::kList, key->type.starts_with("list of")) << info.name;
    EXPECT_EQ(info.kind == ValueKind::kSecret, key->type == "file") << info.name;
  }
}

TEST(Annotations, AreThoseOfTheReadme) {
  const std::string page = readme();
  std::vector<std::string> documented;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| `kernelgate.io/")) documented.push_back(line);
  }
  std::vector<std::string> expected;
  for (const AnnotationInfo& info : annotations()) {
    const std::string begin = "| `kernelgate.io/" + std::string(info.name) + "` | ";
    const auto row = std::ranges::find_if(
        documented, [&](const std::string& line) { return line.starts_with(begin); });
    ASSERT_NE(row, documented.end()) << "no row " << begin;
    const std::string key = info.path.find(' ') == std::string_view::npos
                                ? "`" + std::string(info.path) + "`"
                                : std::string(info.path);
    EXPECT_EQ(row->compare(begin.size(), key.size(), key), 0) << *row;
    if (!info.secret_key.empty()) {
      EXPECT_THAT(*row, HasSubstr("`" + std::string(info.secret_key) + "`"));
    }
  }
  EXPECT_EQ(documented.size(), annotations().size());
  for (const std::string_view name : parameter_names())
    EXPECT_THAT(page, HasSubstr("| `" + std::string(name) + "` |")) << name;
  for (const NginxInfo& info : nginx_annotations())
    EXPECT_THAT(page,
                HasSubstr("| `" + std::string(kNginxPrefix) + std::string(info.name) + "` |"));
}

TEST(Annotations, WhatTheyMayNotIsInTheReadme) {
  std::string page = readme();
  page.erase(0, page.find("## What annotations may not"));
  page.resize(page.find("\n## ", 1));
  for (const NarrowingInfo& info : narrowings())
    EXPECT_THAT(page, HasSubstr("`" + std::string(info.annotation) + "`"));
  for (const ReachInfo& info : reaches()) {
    EXPECT_THAT(page, HasSubstr("| `" + std::string(info.annotation) + "` | " +
                                (info.is_most ? "at most " : "at least ") +
                                std::string(info.bound) + " |"));
  }
}

TEST(Annotations, BecomeKeys) {
  Setting setting;
  setting.cluster.put(Kind::kSecret, secret("analytics", "gateway", {{"token", "t0ken\n"}}));
  setting.annotate(with({{"kernelgate.io/replication", "true"},
                         {"kernelgate.io/gateway-token-secret", "gateway"},
                         {"kernelgate.io/quota-kernels", "5"},
                         {"kernelgate.io/kernel-specs", "python3, spark"},
                         {"kernelgate.io/execution-role", "arn:aws:iam::111122223333:role/r"},
                         {"kernelgate.io/sharing", "group:leads"},
                         {"kernelgate.io/health-check-interval", "2s"}}));
  EXPECT_THAT(setting.reasons(), IsEmpty());
  const Json config = setting.config();
  EXPECT_EQ(config["id"], "abc");
  EXPECT_EQ(config["virtual_cluster"], "analytics");
  EXPECT_EQ(config["gateway"]["replication"], "true");
  EXPECT_EQ(config["gateway"]["token_file"], "feed:gateway-token-secret");
  EXPECT_EQ(config["gateway"]["health_check"]["interval"], "2s");
  EXPECT_EQ(config["quotas"]["kernels"], "5");
  EXPECT_EQ(config["kernels"]["specs"], Json({"python3", "spark"}));
  EXPECT_EQ(setting.cluster.payload(kKey)["files"]["gateway-token-secret"], "t0ken\n");
}

TEST(Annotations, AWrongOneIsNamedAndTheLastGoodOnesServeOn) {
  Setting setting;
  setting.annotate(with({{"kernelgate.io/gone-after", "1d"}}));
  EXPECT_THAT(setting.cluster.keys(), IsEmpty());
  EXPECT_THAT(setting.message(), HasSubstr("annotation kernelgate.io/gone-after: \"1d\" is not"));
  setting.annotate(with({{"kernelgate.io/gone-after", "5s"}}));
  EXPECT_THAT(setting.reasons(), IsEmpty());
  setting.annotate(with({{"kernelgate.io/gone-after", "1d"}}));
  EXPECT_THAT(setting.reasons(), ElementsAre("InvalidAnnotation", "LastGoodServes"));
  EXPECT_EQ(setting.config()["gateway"]["gone_after"], "5s");
  // Pods and routes are those of now all the same.
  setting.cluster.put(Kind::kEndpointSlice,
                      slice("analytics", "jeg-1", "jeg", {pod("jeg-9", "10.0.0.9")}));
  EXPECT_EQ(setting.cluster.payload(kKey)["pods"][0]["name"], "jeg-9");
  // A wrong id keeps the last one.
  setting.annotate(with({{"kernelgate.io/endpoint-id", "A-1"}}));
  EXPECT_THAT(setting.cluster.keys(), ElementsAre(kKey));
  EXPECT_THAT(setting.reasons(), ElementsAre("InvalidAnnotation"));
}

TEST(Annotations, WhatTheClassNoLongerAllowsDoesNotGoOn) {
  Setting setting(Data{{"max-quota-kernels", "20"}});
  setting.annotate(with({{"kernelgate.io/quota-kernels", "10"}}));
  EXPECT_THAT(setting.reasons(), IsEmpty());
  setting.annotate(with({{"kernelgate.io/quota-kernels", "lots"}}));
  EXPECT_EQ(setting.config()["quotas"]["kernels"], "10");
  setting.cluster.put(Kind::kConfigMap, config_map("p", {{"max-quota-kernels", "15"}}));
  EXPECT_EQ(setting.config()["quotas"]["kernels"], "10");
  EXPECT_THAT(setting.reasons(), ElementsAre("InvalidAnnotation", "LastGoodServes"));
  setting.cluster.put(Kind::kConfigMap, config_map("p", {{"max-quota-kernels", "5"}}));
  EXPECT_THAT(setting.cluster.keys(), IsEmpty());
}

TEST(Annotations, AnUnknownOneIsAWarningWithTheNearestName) {
  Setting setting;
  setting.annotate(
      with({{"kernelgate.io/quota-kernel", "5"}, {"nginx.ingress.kubernetes.io/auth-url", "x"}}));
  EXPECT_THAT(setting.reasons(), ElementsAre("UnknownAnnotation", "IgnoredAnnotations"));
  EXPECT_THAT(setting.message(), HasSubstr("did you mean kernelgate.io/quota-kernels?"));
  EXPECT_THAT(setting.cluster.keys(), ElementsAre(kKey));
}

TEST(Annotations, ThousandsOfUnknownOnesHoldNobodyUp) {
  const auto seconds_with = [](const std::string& prefix, size_t findings) {
    Setting setting;
    Annotations many;
    for (int i = 0; i < 4'000; ++i)
      many[prefix + std::string(36, 'a') + std::to_string(1'000 + i)] = "";
    const std::clock_t began = std::clock();
    setting.annotate(with(std::move(many)));
    EXPECT_EQ(setting.reasons().size(), findings);
    return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  };
  const double of_others = seconds_with("example.com/", 0);
  EXPECT_LT(seconds_with("kernelgate.io/", kFindingsMax + 1), 4 * of_others + 0.05);
}

TEST(Annotations, WithoutSessionsNothingIsPublished) {
  Setting setting;
  setting.annotate({{"kernelgate.io/endpoint-id", "abc"}});
  EXPECT_THAT(setting.cluster.keys(), IsEmpty());
  EXPECT_THAT(setting.reasons(), ElementsAre("NoSessions"));
  EXPECT_THAT(setting.message(), HasSubstr("kernelgate.io/jwks-url"));
  setting.annotate({{"kernelgate.io/endpoint-id", "abc"},
                    {"kernelgate.io/issuer", "i"},
                    {"kernelgate.io/audience", "a"}});
  EXPECT_THAT(setting.reasons(), ElementsAre("NoSessions"));
  EXPECT_THAT(setting.cluster.keys(), IsEmpty());
}

TEST(Annotations, SecretsAreOfTheOwnNamespaceAndOfHarmlessTypes) {
  Setting setting;
  setting.cluster.put(Kind::kSecret, secret("other", "keys", {{"jwks.json", kJwks}}));
  Annotations annotations{{"kernelgate.io/endpoint-id", "abc"},
                          {"kernelgate.io/issuer", "i"},
                          {"kernelgate.io/audience", "a"},
                          {"kernelgate.io/session-keys-secret", "keys"}};
  setting.annotate(annotations);
  EXPECT_THAT(setting.reasons(), Contains("SecretNotFound"));
  setting.cluster.put(Kind::kSecret, secret("analytics", "keys", {{"jwks.json", kJwks}},
                                            "kubernetes.io/service-account-token"));
  EXPECT_THAT(setting.reasons(), Contains("SecretRefused"));
  setting.cluster.put(Kind::kSecret, secret("analytics", "keys", {{"jwks.json", "{}"}}));
  EXPECT_THAT(setting.reasons(), Contains("InvalidKeys"));
  EXPECT_THAT(setting.cluster.keys(), IsEmpty());
  setting.cluster.put(Kind::kSecret, secret("analytics", "keys", {{"jwks.json", kJwks}}));
  EXPECT_THAT(setting.reasons(), IsEmpty());
  EXPECT_EQ(setting.config()["sessions"]["jwt"]["keys_file"], "feed:session-keys-secret");
  annotations["kernelgate.io/session-keys-secret"] = "keys/other";
  setting.annotate(annotations);
  EXPECT_THAT(setting.message(), HasSubstr("has no key \"other\""));
}

TEST(Annotations, OfNginxMeanTheSame) {
  Setting setting;
  const std::string nginx(kNginxPrefix);
  setting.annotate(with({{nginx + "proxy-read-timeout", "3600"},
                         {nginx + "backend-protocol", "HTTPS"},
                         {nginx + "limit-connections", "7"}}));
  EXPECT_THAT(setting.reasons(), IsEmpty());
  EXPECT_EQ(setting.config()["gateway"]["kernel_launch_timeout"], "400s");
  EXPECT_EQ(setting.config()["gateway"]["tls"]["server_name"], "jeg.analytics.svc");
  EXPECT_EQ(setting.config()["quotas"]["websockets"], "7");
  setting.annotate(with({{nginx + "backend-protocol", "GRPC"}}));
  EXPECT_THAT(setting.message(),
              HasSubstr("annotation nginx.ingress.kubernetes.io/backend-protocol"));
  setting.annotate(with({{nginx + "proxy-ssl-secret", "other/certificate"}}));
  EXPECT_THAT(setting.reasons(), Contains("SecretNotFound"));
}

TEST(Annotations, SourcesAreKeptOutUnderEachName) {
  Setting setting;
  const std::string nginx(kNginxPrefix);
  for (const std::string& name :
       {nginx + "whitelist-source-range", nginx + "allowlist-source-range",
        std::string("kernelgate.io/allow-sources")}) {
    setting.annotate(with({{name, "10.0.0.0/8, 192.0.2.7"}}));
    EXPECT_THAT(setting.reasons(), IsEmpty());
    EXPECT_EQ(setting.config()["allow_sources"], Json({"10.0.0.0/8", "192.0.2.7"})) << name;
  }
  setting.annotate(with({{nginx + "whitelist-source-range", "everybody"}}));
  EXPECT_THAT(setting.message(), HasSubstr("whitelist-source-range"));
  EXPECT_THAT(setting.reasons(), ElementsAre("InvalidAnnotation", "LastGoodServes"));
}

const std::map<std::string, std::string> kClass{{"issuer", "https://studio.example.com"},
                                                {"audience", "kernelgate"},
                                                {"jwks-url", "https://studio.example.com/jwks"},
                                                {"quota-kernels", "10"}};

std::map<std::string, std::string> class_with(std::map<std::string, std::string> more) {
  more.insert(kClass.begin(), kClass.end());
  return more;
}

const Annotations kOnlyId{{"kernelgate.io/endpoint-id", "abc"}};

Annotations id_and(const std::string& name, const std::string& value) {
  return {{"kernelgate.io/endpoint-id", "abc"}, {"kernelgate.io/" + name, value}};
}

TEST(Parameters, AreDefaults) {
  Setting setting(kClass);
  setting.annotate(kOnlyId);
  EXPECT_THAT(setting.reasons(), IsEmpty());
  EXPECT_EQ(setting.config()["sessions"]["jwt"]["issuer"], "https://studio.example.com");
  EXPECT_EQ(setting.config()["quotas"]["kernels"], "10");
  setting.annotate(id_and("quota-kernels", "3"));
  EXPECT_EQ(setting.config()["quotas"]["kernels"], "3");
}

TEST(Parameters, KeysOfTheClassSignForNoOtherIssuer) {
  Setting setting(kClass);
  setting.annotate(id_and("issuer", "https://other.example.com"));
  EXPECT_THAT(setting.reasons(), ElementsAre("NoSessions"));
  setting.annotate(id_and("sessions-by-gateway", "/api/kernelspecs"));
  EXPECT_THAT(setting.reasons(), IsEmpty());
  EXPECT_FALSE(setting.config()["sessions"].contains("jwt"));
}

TEST(Parameters, MayHoldKeysForAllNamespaces) {
  Setting setting({{"issuer", "i"}, {"audience", "a"}, {"session-keys", kJwks}});
  setting.annotate(kOnlyId);
  EXPECT_THAT(setting.reasons(), IsEmpty());
  EXPECT_EQ(setting.cluster.payload(kKey)["files"]["session-keys-secret"], kJwks);
}

TEST(Parameters, AreNeverWidened) {
  struct Case {
    std::map<std::string, std::string> parameters;
    Annotations annotations;
    const char* reason;  // "": allowed
  };
  const std::string other = "https://other.example.com";
  for (const Case& one : std::vector<Case>{
           {{{"allowed-issuers", other}}, with({}), ""},  // the class's own is meant too
           {{{"allowed-issuers", "https://x.example.com"}},
            with({{"kernelgate.io/issuer", other}}),
            "IssuerNotAllowed"},
           {{{"allowed-issuers", other}},
            with({{"kernelgate.io/issuer", other}, {"kernelgate.io/jwks-url", other + "/keys"}}),
            ""},
           {{{"allowed-issuers", other}},
            with({{"kernelgate.io/issuer", other}, {"kernelgate.io/jwks-url", "https://e.test/"}}),
            "FetchNotAllowed"},
           {{{"allowed-issuers", other}},
            id_and("sessions-by-gateway", "/api/kernelspecs"),
            "IssuerNotAllowed"},
           {{{"allowed-jwks-hosts", "keys.example.com"}}, with({}), "FetchNotAllowed"},
           {{{"max-quota-kernels", "20"}}, id_and("quota-kernels", "21"), "QuotaNotAllowed"},
           {{{"max-quota-kernels", "20"}}, id_and("quota-kernels", "none"), "QuotaNotAllowed"},
           {{{"max-quota-kernels", "20"}}, id_and("quota-kernels", "20"), ""},
           {{{"locked-annotations", "sharing"}}, id_and("sharing", "endpoint"), "LockedAnnotation"},
           {{{"allowed-hosts", "analytics: other.example.com"}}, kOnlyId, "HostNotAllowed"},
           {{{"allowed-hosts", "other: example.com"}}, kOnlyId, "HostNotAllowed"},
           {{{"allowed-hosts", "*: {namespace}.example.com"}}, kOnlyId, ""},
           {{{"allowed-hosts", "*: *"}}, kOnlyId, ""}}) {
    auto parameters = one.parameters;
    if (!parameters.contains("allowed-jwks-hosts")) parameters = class_with(parameters);
    Setting setting(parameters);
    setting.annotate(one.annotations);
    if (*one.reason == '\0') {
      EXPECT_THAT(setting.reasons(), IsEmpty()) << setting.message();
    } else {
      EXPECT_THAT(setting.reasons(), ElementsAre(one.reason)) << setting.message();
      EXPECT_THAT(setting.cluster.keys(), IsEmpty()) << one.reason;
    }
  }
}

TEST(Parameters, AMaximumHoldsWhereNothingIsSaid) {
  Setting setting({{"max-quota-websockets", "50"}, {"max-quota-launches", "100"}});
  setting.annotate(with({}));
  EXPECT_EQ(setting.config()["quotas"]["websockets"], "50");
  EXPECT_FALSE(setting.config()["quotas"].contains("launches"));  // 16 by default
}

TEST(Parameters, ThatCannotBeReadServeNobodyOrTheLastGoodOnes) {
  Setting setting(Data{{"allowed-issuer", "i"}});
  setting.annotate(with({}));
  EXPECT_THAT(setting.reasons(), ElementsAre("ClassUnusable"));
  EXPECT_THAT(setting.cluster.keys(), IsEmpty());
  EXPECT_THAT(setting.cluster.reasons("platform", "p", Kind::kConfigMap),
              ElementsAre("InvalidParameter"));
  setting.cluster.put(Kind::kConfigMap, config_map("p", {{"max-quota-kernels", "5"}}));
  EXPECT_THAT(setting.cluster.keys(), ElementsAre(kKey));
  EXPECT_THAT(setting.cluster.reasons("platform", "p", Kind::kConfigMap), IsEmpty());
  setting.cluster.erase(Kind::kConfigMap, "platform", "p");
  EXPECT_EQ(setting.config()["quotas"]["kernels"], "5");
  EXPECT_THAT(setting.cluster.reasons("", "kernelgate", Kind::kIngressClass),
              ElementsAre("ParametersNotFound"));
  setting.cluster.erase(Kind::kIngressClass, "", "kernelgate");
  EXPECT_THAT(setting.cluster.reasons("", "kernelgate", Kind::kIngressClass), IsEmpty());
  EXPECT_THAT(setting.cluster.keys(), IsEmpty());
}

TEST(FetchRules, NothingOfTheProxysOwnMachineOrLinkIsFetched) {
  for (const char* host : {"127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "224.0.0.1",
                           "localhost", "localhost.", "a.localhost", "[::1]", "[::]", "[fe80::1]",
                           "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]",
                           "[64:ff9b::7f00:1]", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"}) {
    const ParsedUrl parsed = parse_url("https://" + std::string(host) + "/jwks");
    if (parsed.url) {
      EXPECT_NE(fetch_fault(*parsed.url), "") << host;
    }
  }
  for (const char* host : {"studio.example.com", "10.0.0.1", "[2001:db8::1]", "192.0.2.1"}) {
    const ParsedUrl parsed = parse_url("https://" + std::string(host) + "/jwks");
    ASSERT_TRUE(parsed.url) << host;
    EXPECT_EQ(fetch_fault(*parsed.url), "") << host;
  }
  Setting setting;
  setting.annotate(with({{"kernelgate.io/jwks-url", "https://169.254.169.254/latest"}}));
  EXPECT_THAT(setting.reasons(), ElementsAre("FetchNotAllowed"));
}

}  // namespace kg::ingress::annotations_test
