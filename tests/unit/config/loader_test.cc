#include "config/loader.h"

#include <gmock/gmock.h>

#include "config_folder.h"
#include "proxy/base/limits.h"

namespace kg::config::loader_test {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

TEST(Loader, SmallestFileOfTheReadmeIsValidAndShort) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(minimal()), IsEmpty());
  const std::string text = minimal();
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 15);
}

const JwtSessions& jwt_of(const Endpoint& endpoint) {
  return std::get<JwtSessions>(endpoint.sessions.authenticators.at(0));
}

TEST(Loader, DefaultsAreThoseOfTheStructs) {
  const ConfigFolder folder;
  const Loaded loaded = folder.load(minimal());
  ASSERT_TRUE(loaded.config);
  const Config& config = *loaded.config;
  const Config plain;
  EXPECT_EQ(config.workers, plain.workers);
  EXPECT_EQ(config.alb_idle_timeout, plain.alb_idle_timeout);
  EXPECT_EQ(config.monitoring.host, plain.monitoring.host);
  EXPECT_EQ(config.monitoring.port, plain.monitoring.port);
  EXPECT_EQ(config.access_log_path, plain.access_log_path);
  EXPECT_EQ(config.drain_lame_duck, plain.drain_lame_duck);
  EXPECT_EQ(config.drain_deadline, plain.drain_deadline);
  EXPECT_EQ(config.metrics_endpoints_max, plain.metrics_endpoints_max);
  const Endpoint& endpoint = config.endpoints.at(0);
  const Endpoint plain_endpoint;
  EXPECT_EQ(endpoint.virtual_cluster, plain_endpoint.virtual_cluster);
  EXPECT_EQ(endpoint.strip_prefix, plain_endpoint.strip_prefix);
  EXPECT_EQ(endpoint.other_paths, plain_endpoint.other_paths);
  EXPECT_EQ(endpoint.gateway.kernel_launch_timeout, plain_endpoint.gateway.kernel_launch_timeout);
  EXPECT_EQ(endpoint.gateway.kernel_launch_timeout, Millis(limits::kLaunchMsMax));
  EXPECT_EQ(endpoint.gateway.launches_max, plain_endpoint.gateway.launches_max);
  EXPECT_EQ(endpoint.gateway.launch_queue_max, plain_endpoint.gateway.launch_queue_max);
  EXPECT_EQ(endpoint.gateway.connections_max, plain_endpoint.gateway.connections_max);
  EXPECT_EQ(endpoint.gateway.queue_max, plain_endpoint.gateway.queue_max);
  EXPECT_EQ(endpoint.gateway.connect_timeout, plain_endpoint.gateway.connect_timeout);
  EXPECT_EQ(endpoint.gateway.idle_timeout, plain_endpoint.gateway.idle_timeout);
  EXPECT_EQ(endpoint.gateway.health_check, plain_endpoint.gateway.health_check);
  EXPECT_EQ(endpoint.gateway.census, plain_endpoint.gateway.census);
  EXPECT_FALSE(endpoint.gateway.tls);
  EXPECT_EQ(endpoint.gateway.pods.at(0).name, "127.0.0.1:8888");
  EXPECT_EQ(jwt_of(endpoint).realm, jwt_of(endpoint).issuer);
  EXPECT_THAT(jwt_of(endpoint).algorithms, IsEmpty());
}

TEST(Loader, ReadsEveryKey) {
  const ConfigFolder folder;
  const std::string text = with(with(complete(), "workers: auto", "workers: 3"), "path: stdout",
                                "path: log/../access.json");
  const Loaded loaded = folder.load(text);
  ASSERT_TRUE(loaded.config) << format(loaded.errors.at(0));
  EXPECT_THAT(loaded.errors, IsEmpty());
  const Config& config = *loaded.config;
  EXPECT_EQ(config.file, folder.path("kernelgate.yaml"));
  EXPECT_EQ(config.workers, 3);
  const Listener& listener = config.listeners.at(0);
  EXPECT_EQ(listener.address.host, "0.0.0.0");
  EXPECT_EQ(listener.address.port, 8443);
  EXPECT_EQ(listener.certificates.at(0).certificate, folder.path("tls/server.crt"));
  EXPECT_EQ(listener.certificates.at(0).private_key, folder.path("tls/server.key"));
  EXPECT_EQ(listener.certificates.at(0).place.line, 6);
  EXPECT_EQ(listener.certificates.at(0).place.key, "listeners[0].tls.certificates[0].certificate");
  EXPECT_EQ(listener.trusted_proxies.at(0).text, "10.0.0.0/8");
  EXPECT_EQ(listener.allow_sources.at(1).text, "::/0");
  EXPECT_EQ(config.alb_idle_timeout, 420s);
  EXPECT_EQ(config.access_log_path, folder.path("access.json"));
  EXPECT_EQ(config.drain_lame_duck, 25s);
  EXPECT_EQ(config.drain_deadline, 10min);
  const Endpoint& endpoint = config.endpoints.at(0);
  EXPECT_EQ(endpoint.id, "abc123xyz456");
  EXPECT_EQ(endpoint.virtual_cluster, "analytics");
  EXPECT_EQ(endpoint.execution_role_arn, "arn:aws:iam::111122223333:role/analytics");
  EXPECT_THAT(endpoint.hosts, ElementsAre("abc123xyz456.kernels.example.com"));
  EXPECT_EQ(endpoint.path_prefix, "/abc123xyz456");
  EXPECT_EQ(endpoint.gateway.pods.at(0).name, "jeg-0");
  EXPECT_EQ(endpoint.gateway.pods.at(0).address.port, 8888);
  EXPECT_EQ(endpoint.gateway.token_file, folder.path("secrets/gateway-token"));
  EXPECT_EQ(endpoint.gateway.token_place.key, "endpoints[0].gateway.token_file");
  ASSERT_TRUE(endpoint.gateway.tls);
  EXPECT_EQ(endpoint.gateway.tls->ca_file, folder.path("tls/gateway-ca.crt"));
  EXPECT_EQ(endpoint.gateway.tls->server_name, "jeg.analytics.svc");
  ASSERT_TRUE(endpoint.gateway.tls->client_certificate);
  EXPECT_EQ(endpoint.gateway.tls->client_certificate->private_key, folder.path("tls/proxy.key"));
  EXPECT_EQ(jwt_of(endpoint).realm, "studio");
  EXPECT_EQ(jwt_of(endpoint).audience, "kernelgate");
  EXPECT_EQ(jwt_of(endpoint).keys_file, folder.path("secrets/jwks.json"));
  EXPECT_THAT(jwt_of(endpoint).algorithms, ElementsAre("ES256", "RS256"));
  EXPECT_EQ(jwt_of(endpoint).subject_claim, "sub");
  const auto& partners = std::get<JwtSessions>(endpoint.sessions.authenticators.at(1));
  EXPECT_EQ(partners.subject_claim, "oid");
  EXPECT_EQ(partners.endpoint_claim, "kernels:endpoint");
  EXPECT_EQ(partners.groups_claim, "roles");
  EXPECT_EQ(partners.virtual_cluster_claim, "kernels:cluster");
  EXPECT_EQ(jwt_of(endpoint).virtual_cluster_claim, "");
  const auto& machines = std::get<OpaqueSessions>(endpoint.sessions.authenticators.at(2));
  EXPECT_EQ(machines.realm, "machines");
  EXPECT_EQ(machines.file, folder.path("secrets/tokens"));
  EXPECT_EQ(machines.place.key, "endpoints[0].sessions.authenticators[1].opaque.file");
}

TEST(Loader, AHealthCheckMayBeOff) {
  const ConfigFolder folder;
  const std::string key = "      token_file: secrets/gateway-token\n";
  const Loaded off = folder.load(with(minimal(), key, key + "      health_check: off\n"));
  ASSERT_TRUE(off.config);
  EXPECT_FALSE(off.config->endpoints.at(0).gateway.health_check.enabled);
  EXPECT_THAT(folder.problems(with(minimal(), key, key + "      health_check: on\n")),
              ElementsAre("13 endpoints[0].gateway.health_check: is not a map"));
  EXPECT_THAT(
      folder.problems(
          with(minimal(), key, key + "      health_check: {path: api, interval: 1ms}\n")),
      ElementsAre("13 endpoints[0].gateway.health_check.path: \"api\" is not a path",
                  "13 endpoints[0].gateway.health_check.interval: \"1ms\" is out of range"));
}

TEST(Loader, ACensusMayBeOff) {
  const ConfigFolder folder;
  const std::string key = "      token_file: secrets/gateway-token\n";
  const Loaded off = folder.load(with(minimal(), key, key + "      census: off\n"));
  ASSERT_TRUE(off.config);
  EXPECT_EQ(off.config->endpoints.at(0).gateway.census, Millis(0));
  EXPECT_THAT(folder.problems(with(minimal(), key, key + "      census: 1ms\n")),
              ElementsAre("13 endpoints[0].gateway.census: \"1ms\" is out of range"));
}

TEST(Loader, SessionsOfNotebooksNeedKernelIdsOfOurs) {
  const ConfigFolder folder;
  const char* key = "    gateway:\n";
  const std::string text = with(minimal(), key, "    notebook_sessions: true\n" + std::string(key));
  EXPECT_TRUE(folder.load(text).config->endpoints.at(0).notebook_sessions);
  EXPECT_THAT(folder.problems(with(text, key, key + std::string("      credentials: forward\n"))),
              Contains(HasSubstr("notebook_sessions is made of ours")));
}

TEST(Loader, FindsEveryErrorInOnePassInFileOrder) {
  const ConfigFolder folder;
  EXPECT_THAT(
      folder.problems(R"(workers: 65
listeners:
  - address: localhost:8443
    tls:
      certificates:
        - {certificate: tls/none.crt}
      min_version: "1.3"
    alpn: [h2]
metrics: {endpoints_max: 20000}
drain: {lame_duck: 25, deadlin: 10m}
endpoints:
  - id: ABC
    hosts: [lab.example.com:443, "a.*.example.com", Lab.example.com]
    gateway:
      pods: [{address: "service: jeg:8888"}]
      credentials: forward
      replication: perhaps
    sessions:
      operations: [{deny: [Nothing]}]
      jwt: {issuer: i, keys_file: tls, algorithms: [HS256]}
)"),
      ElementsAre(
          "1 workers: \"65\" is out of range",  //
          "3 listeners[0].address: \"localhost:8443\" is not a numeric address",
          "6 listeners[0].tls.certificates[0].certificate: cannot read \"" +
              folder.path("tls/none.crt") + "\" (No such file or directory)",
          "6 listeners[0].tls.certificates[0].private_key: missing",
          "7 listeners[0].tls.min_version: not supported by this version",
          "8 listeners[0].alpn: not supported by this version",
          "9 metrics.endpoints_max: \"20000\" is out of range", "10 drain.deadlin: unknown key",
          "10 drain.lame_duck: \"25\" is not a duration",
          "12 endpoints[0].id: \"ABC\" is not an endpoint id",
          "13 endpoints[0].hosts[0]: \"lab.example.com:443\" is not a host name",
          "13 endpoints[0].hosts[1]: \"a.*.example.com\" has a wildcard that is not its first "
          "label",
          "13 endpoints[0].hosts[2]: upper-case letters in a host",
          "15 endpoints[0].gateway.pods[0].address: a service name is not supported by "
          "this version",
          "16 endpoints[0].gateway.credentials: forward needs delegated as the only authenticator",
          "17 endpoints[0].gateway.replication: \"perhaps\" is not a boolean",
          "19 endpoints[0].sessions.operations[0].deny[0]: \"Nothing\" is not an operation",
          "20 endpoints[0].sessions.jwt.audience: missing",
          "20 endpoints[0].sessions.jwt.keys_file: \"" + folder.path("tls") +
              "\" is not a regular file",
          "20 endpoints[0].sessions.jwt.algorithms[0]: \"HS256\" cannot prove who made a "
          "token"));
}

TEST(Loader, AnEmptyMapMissesWhatIsRequired) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems("{}"), ElementsAre("1 listeners: missing", "1 endpoints: missing"));
  EXPECT_THAT(folder.problems(""), ElementsAre("1 : the file is empty"));
  EXPECT_THAT(folder.problems("listeners: []\nendpoints:\n"),
              ElementsAre("1 listeners: is an empty list", "2 endpoints: has no value"));
  EXPECT_THAT(folder.problems("listeners: {address: 1}\nendpoints: [5]\nalb: 4"),
              ElementsAre("1 listeners: is not a list", "2 endpoints[0]: is not a map",
                          "3 alb: is not a map"));
}

TEST(Loader, UnknownKeysGetAHint) {
  const ConfigFolder folder;
  const auto remedy = [&](const std::string& text) {
    const Loaded loaded = folder.load(text);
    return loaded.errors.empty() ? "none" : loaded.errors.at(0).remedy;
  };
  EXPECT_EQ(remedy(minimal() + "worker: 2\n"), "did you mean workers?");
  EXPECT_EQ(remedy(minimal() + "access-log: {}\n"), "did you mean access_log?");
  EXPECT_EQ(remedy(with(minimal(), "token_file", "tokne_file")), "did you mean token_file?");
  EXPECT_EQ(remedy(with(minimal(), "      token_file:", "      algorithms:")),
            "it belongs into endpoints[].sessions.authenticators[].jwt");
  EXPECT_THAT(remedy(minimal() + "color: red\n"), HasSubstr("allowed here: workers, listeners"));
  EXPECT_EQ(remedy(with(minimal(), "tls:\n      certificates", "tls:\n      certificate")),
            "did you mean certificates?");
}

TEST(Loader, PodsHaveNamesAndAddressesOfTheirOwn) {
  const ConfigFolder folder;
  const auto with_pods = [&](const std::string& pods) {
    return with(minimal(), "[{address: 127.0.0.1:8888}]", pods);
  };
  const Loaded loaded =
      folder.load(with_pods("[{address: 127.0.0.1:8888}, {name: b, address: 127.0.0.1:8889}]"));
  ASSERT_TRUE(loaded.config);
  const Gateway& gateway = loaded.config->endpoints.front().gateway;
  ASSERT_EQ(gateway.pods.size(), 2U);
  EXPECT_EQ(gateway.pods[0].name, "127.0.0.1:8888");
  EXPECT_EQ(gateway.pods[1].name, "b");
  EXPECT_FALSE(gateway.replication);
  EXPECT_THAT(folder.problems(with_pods("[{address: 127.0.0.1:8888}, {address: 127.0.0.1:8888}]")),
              ElementsAre("11 endpoints[0].gateway.pods[1]: is the same pod as one before it"));
  EXPECT_THAT(folder.problems(with_pods(
                  "[{name: a, address: 127.0.0.1:8888}, {name: a, address: 127.0.0.1:8889}]")),
              ElementsAre("11 endpoints[0].gateway.pods[1]: is the same pod as one before it"));
  EXPECT_THAT(folder.problems(with_pods("[]")),
              ElementsAre("11 endpoints[0].gateway.pods: is an empty list"));
}

TEST(Loader, WorldReadableSecretsAreWarningsOnly) {
  const ConfigFolder folder;
  folder.write("tls/server.key", "x", 0644);
  folder.write("secrets/gateway-token", "x", 0604);
  EXPECT_THAT(folder.problems(minimal()),
              ElementsAre("~6 listeners[0].tls.certificates[0].private_key: everybody on this "
                          "machine may read \"" +
                              folder.path("tls/server.key").substr(0, 60) + "\"",
                          "~12 endpoints[0].gateway.token_file: everybody on this machine may "
                          "read \"" +
                              folder.path("secrets/gateway-token") + "\""));
  EXPECT_TRUE(folder.load(minimal()).config);
}

TEST(Loader, WarnsOfAnIdleTimeoutBelowTheLaunchOnlyWithAnAlbInSight) {
  const ConfigFolder folder;
  const std::string low = with(complete(), "420s", "399s");
  EXPECT_THAT(folder.problems(low), ElementsAre(HasSubstr("~13 alb.idle_timeout: below")));
  EXPECT_THAT(folder.problems(with(complete(), "alb: {idle_timeout: 420s}", "")),
              ElementsAre(HasSubstr("~1 alb.idle_timeout: below")));
  EXPECT_THAT(folder.problems(with(low, "400s", "399s")), IsEmpty());
  EXPECT_THAT(folder.problems(minimal() + "alb: {idle_timeout: 60s}\n"),
              ElementsAre(HasSubstr("~15 alb.idle_timeout: below")));
  EXPECT_THAT(folder.problems(minimal()), IsEmpty());
}

TEST(Loader, TrustingEverybodyIsAWarning) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(with(complete(), "[10.0.0.0/8]", "[0.0.0.0/0]")),
              ElementsAre(HasSubstr("~8 listeners[0].trusted_proxies: everybody")));
}

TEST(Loader, AListenerWithoutCertificatesIsAWarning) {
  const ConfigFolder folder;
  const std::string tls =
      "    tls:\n      certificates:\n"
      "        - {certificate: tls/server.crt, private_key: tls/server.key}\n";
  for (const char* empty : {"", "    tls: {}\n"}) {
    EXPECT_THAT(folder.problems(with(minimal(), tls, empty)),
                ElementsAre(HasSubstr("listeners[0].tls.certificates: none is given")));
    const Loaded loaded = folder.load(with(minimal(), tls, empty));
    ASSERT_TRUE(loaded.config);
    EXPECT_THAT(loaded.config->listeners.at(0).certificates, IsEmpty());
  }
  EXPECT_THAT(folder.problems(with(minimal(), tls, "    tls: {certificates: []}\n")),
              ElementsAre("4 listeners[0].tls.certificates: is an empty list"));
}

TEST(Loader, ClientCertificatesNeedACaAndAMode) {
  const ConfigFolder folder;
  const auto asking = [](const std::string& keys) {
    return with(minimal(), "      certificates:",
                "      client_certificates: {" + keys + "}\n      certificates:");
  };
  const Loaded loaded = folder.load(asking("ca_file: tls/clients-ca.crt, mode: required"));
  ASSERT_TRUE(loaded.config);
  const ClientCertificates& clients = loaded.config->listeners.at(0).client_certificates;
  EXPECT_EQ(clients.mode, ClientCertificateMode::kRequired);
  EXPECT_EQ(clients.ca_file, folder.path("tls/clients-ca.crt"));
  EXPECT_EQ(clients.place.key, "listeners[0].tls.client_certificates.ca_file");
  EXPECT_THAT(folder.problems(asking("")),
              ElementsAre("5 listeners[0].tls.client_certificates.mode: missing",
                          "5 listeners[0].tls.client_certificates.ca_file: missing"));
  EXPECT_THAT(
      folder.problems(asking("ca_file: tls/clients-ca.crt, mode: on")),
      ElementsAre("5 listeners[0].tls.client_certificates.mode: \"on\" is not a choice here"));
  EXPECT_EQ(folder.load(minimal()).config->listeners.at(0).client_certificates.mode,
            ClientCertificateMode::kNone);
}

TEST(Loader, EqualAddressesClash) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(minimal() + "monitoring: {address: 0.0.0.0:8443}\n"),
              ElementsAre("15 monitoring.address: \"0.0.0.0:8443\" is already the address of "
                          "listeners[0].address (line 3)"));
  EXPECT_THAT(folder.problems(with(minimal(), "0.0.0.0:8443", "127.0.0.1:0") +
                              "monitoring: {address: 127.0.0.1:0}\n"),
              IsEmpty());
}

TEST(Loader, DrainEndsAfterItsLameDuck) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(minimal() + "drain: {lame_duck: 0s, deadline: 0s}\n"), IsEmpty());
}

TEST(Loader, AccessLogNeedsAFolder) {
  const ConfigFolder folder;
  EXPECT_THAT(folder.problems(minimal() + "access_log: {path: off}\n"), IsEmpty());
  EXPECT_THAT(folder.problems(minimal() + "access_log: {path: no/such.log}\n"),
              ElementsAre(HasSubstr("15 access_log.path: there is no folder")));
  EXPECT_THAT(folder.problems(minimal() + "access_log: {path: tls}\n"),
              ElementsAre(HasSubstr("is a folder")));
  EXPECT_THAT(folder.problems(minimal() + "access_log: {path: stderr}\n"),
              ElementsAre(HasSubstr("own messages")));
}

TEST(Loader, LoadsAFileByRelativeAndAbsoluteName) {
  const ConfigFolder folder;
  folder.write("kernelgate.yaml", minimal(), 0644);
  EXPECT_TRUE(load_file(folder.path("kernelgate.yaml")).config);
  const Loaded missing = load_file(folder.path("other.yaml"));
  EXPECT_FALSE(missing.config);
  EXPECT_EQ(format(missing.errors.at(0)),
            folder.path("other.yaml") +
                ": cannot be opened (No such file or directory): check the name after --config");
  EXPECT_THAT(load_file(folder.path("tls")).errors.at(0).problem, HasSubstr("Is a directory"));
}

TEST(Loader, FormatsForPeople) {
  EXPECT_EQ(
      format({"k.yaml", 12, "endpoints[0].hosts", "not a host name", "remove the port", false}),
      "k.yaml:12: endpoints[0].hosts: not a host name: remove the port");
  EXPECT_EQ(format({"k.yaml", 3, "alb", "odd", "", true}), "k.yaml:3: warning: alb: odd");
}

}  // namespace kg::config::loader_test
