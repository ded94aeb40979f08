#include "metrics/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "readme_table.h"

namespace kg::metrics::exporter_test {

using ::testing::HasSubstr;
using ::testing::Not;

class ExporterTest : public ::testing::Test {
 protected:
  ExporterTest() {
    exporter_.add_worker(&first_);
    exporter_.add_worker(&second_);
  }

  static std::vector<std::string> operations() {
    std::vector<std::string> names{"ListKernels", "CreateKernel"};
    while (names.size() < kOperations) names.push_back("Operation" + std::to_string(names.size()));
    return names;
  }

  // Something in every family, so that nothing is left out for being zero.
  void populate() {
    const uint32_t slot = slots_.slot_for("analytics", "abc");
    facts_.health.resize(slot + 1);
    facts_.health[slot] = {.checked = true, .passed = 5, .failed = 3};
    facts_.pods = {{.slot = slot, .pod = "jeg-0", .checked = true, .kernels = PodKernels{1, 2, 3}},
                   {.slot = slot,
                    .pod = "jeg-1",
                    .checked = true,
                    .healthy = false,
                    .gone = true,
                    .cordoned = true,
                    .restarts = 4,
                    .launches = 5,
                    .websockets = 6,
                    .kernels = {}},
                   {.slot = 0, .pod = "jeg-0", .checked = true, .kernels = PodKernels{}}};
    for (WorkerMetrics* worker : {&first_, &second_}) {
      worker->operations[0].first_byte[1].observe_us(150);
      worker->operations[1].total[4].observe_us(3'000'000);
      worker->kernel_launch.observe_us(500'000'000);
      worker->connections_open.add(3);
      worker->tls_handshakes_resumed.add(2);
      EndpointMetrics& endpoint = worker->endpoint(slot);
      endpoint.requests[3].add();
      endpoint.messages[kFromUpstream].add(7);
      endpoint.errors[static_cast<size_t>(ErrorCode::kUpstreamReset)].add();
    }
  }

  EndpointSlots slots_{2};
  WorkerMetrics first_{3};
  WorkerMetrics second_{3};
  ProcessFacts facts_{.version = "0.1.0",
                      .openssl_version = "3.0.11",
                      .draining = true,
                      .overload = {.memory = true, .descriptors = false, .connections = false},
                      .routes_version = 4,
                      .endpoints = 9,
                      .reloads_ok = 3,
                      .reloads_failed = 1,
                      .certificates = {{"0.0.0.0:8443", "tls/server.crt", 1767225600}},
                      .certificate_reloads = {.ok = 5, .failed = 6},
                      .ticket_key_reloads = {.ok = 7, .failed = 8},
                      .kernel_id_key_reloads = {.ok = 9, .failed = 10},
                      .fetches = {{"keys", "answered", 9}, {"keys", "tls", 2}},
                      .fetches_waiting = 3,
                      .session_keys_age_s = 17,
                      .start_time_seconds = 1767225600.25,
                      .health = {},
                      .pods = {}};
  KernelSpecs specs_;
  Exporter exporter_{slots_, specs_, operations(), [this] { return facts_; }};
};

TEST_F(ExporterTest, FetchesByPurposeAndResult) {
  const std::string text = exporter_.text();
  EXPECT_THAT(text, HasSubstr("\nkernelgate_fetches_total{purpose=\"keys\",result=\"tls\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_fetches_waiting 3\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_session_keys_age_seconds 17\n"));
}

TEST_F(ExporterTest, SumsOverWorkers) {
  populate();
  const std::string text = exporter_.text();
  EXPECT_THAT(text, HasSubstr("\nkernelgate_connections_open 6\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_tls_handshakes_total{kind=\"resumed\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_requests_total{endpoint=\"abc\","
                              "virtual_cluster=\"analytics\",code=\"4xx\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_websocket_messages_total{endpoint=\"abc\","
                              "virtual_cluster=\"analytics\",direction=\"from_upstream\"} 14\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_errors_total{endpoint=\"abc\","
                              "virtual_cluster=\"analytics\",reason=\"upstream_reset\"} 2\n"));
}

TEST_F(ExporterTest, EveryLimitHasASeriesFromTheStart) {
  first_.hit(Limit::kHeaderBytes);
  second_.hit(Limit::kHeaderBytes);
  const std::string text = exporter_.text();
  std::set<std::string_view> labels;
  for (uint8_t i = 0; i < kLimitCount; ++i) {
    const std::string_view label = limit_label(static_cast<Limit>(i));
    EXPECT_TRUE(labels.insert(label).second) << label;
    EXPECT_THAT(text, HasSubstr("kernelgate_limits_hit_total{limit=\"" + std::string(label) +
                                (label == "header_bytes" ? "\"} 2\n" : "\"} 0\n")));
  }
}

TEST_F(ExporterTest, HistogramsAreCumulativeAndInSeconds) {
  populate();
  const std::string text = exporter_.text();
  const std::string bucket =
      "kernelgate_request_first_byte_seconds_bucket{operation=\"ListKernels\",code=\"2xx\",le=";
  EXPECT_THAT(text, HasSubstr(bucket + "\"0.0001\"} 0\n"));
  EXPECT_THAT(text, HasSubstr(bucket + "\"0.00025\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(bucket + "\"0.1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(bucket + "\"400\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(bucket + "\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_request_first_byte_seconds_sum{operation=\"ListKernels\","
                              "code=\"2xx\"} 0.0003\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_kernel_launch_seconds_bucket{le=\"400\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_kernel_launch_seconds_bucket{le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_kernel_launch_seconds_sum 1000\n"));
}

TEST_F(ExporterTest, ProcessFacts) {
  const std::string text = exporter_.text();
  EXPECT_THAT(text, HasSubstr("kernelgate_build_info{version=\"0.1.0\",openssl_version=\"3.0.11\"}"
                              " 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_draining 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_overloaded{resource=\"memory\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_overloaded{resource=\"descriptors\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_routes_version 4\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_endpoints 9\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_config_reloads_total{result=\"failed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_certificate_reloads_total{result=\"failed\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_ticket_key_reloads_total{result=\"ok\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_kernel_id_key_reloads_total{result=\"failed\"} 10\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_certificate_not_after_seconds{listener=\"0.0.0.0:8443\","
                              "certificate=\"tls/server.crt\"} 1767225600\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_process_start_time_seconds 1767225600.25\n"));
  EXPECT_THAT(text, Not(HasSubstr("kernelgate_process_resident_memory_bytes 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("kernelgate_process_open_fds 0\n")));
}

TEST_F(ExporterTest, PodsHaveSeriesOfTheirOwn) {
  populate();
  const std::string text = exporter_.text();
  const std::string labels = "{endpoint=\"abc\",virtual_cluster=\"analytics\",pod=\"jeg-";
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_healthy" + labels + "0\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_healthy" + labels + "1\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_gone" + labels + "1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_cordoned" + labels + "0\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_cordoned" + labels + "1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_restarts_suspected_total" + labels + "1\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_launches_active" + labels + "1\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_websockets" + labels + "1\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_kernels" + labels + "0\",state=\"idle\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nkernelgate_pod_kernels" + labels + "0\",state=\"other\"} 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("kernelgate_pod_kernels" + labels + "1")));  // not known
  EXPECT_THAT(text, Not(HasSubstr("kernelgate_pod_healthy{endpoint=\"other\"")));
}

TEST_F(ExporterTest, HealthIsOfThoseWhoAreChecked) {
  populate();
  const std::string checks =
      "kernelgate_pod_health_checks_total{endpoint=\"abc\",virtual_cluster=\"analytics\"";
  EXPECT_THAT(exporter_.text(), HasSubstr(checks + ",result=\"failed\"} 3\n"));
  facts_.health[1].checked = false;  // switched off: a counter stays, a state does not
  for (PodFact& pod : facts_.pods) pod.checked = false;
  const std::string text = exporter_.text();
  EXPECT_THAT(text, Not(HasSubstr("kernelgate_pod_healthy{")));
  EXPECT_THAT(text, Not(HasSubstr("kernelgate_pod_gone{")));
  EXPECT_THAT(text, HasSubstr(checks + ",result=\"ok\"} 5\n"));
}

TEST_F(ExporterTest, UnobservedCellsAndReasonsHaveNoSeries) {
  slots_.slot_for("analytics", "quiet");
  const std::string text = exporter_.text();
  EXPECT_THAT(text, Not(HasSubstr("operation=")));
  EXPECT_THAT(text, Not(HasSubstr("reason=")));
  EXPECT_THAT(text, Not(HasSubstr("code=\"5xx\"")));
  EXPECT_THAT(text, HasSubstr("kernelgate_requests_total{endpoint=\"quiet\","
                              "virtual_cluster=\"analytics\",code=\"2xx\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_kernel_launches_total{endpoint=\"quiet\","
                              "virtual_cluster=\"analytics\",result=\"failed\"} 0\n"));
}

TEST_F(ExporterTest, AGaugeMayMoveBetweenWorkersButNeverBelowZero) {
  first_.connections_open.add(2);
  second_.connections_open.sub(1);
  EXPECT_THAT(exporter_.text(), HasSubstr("\nkernelgate_connections_open 1\n"));
  second_.connections_open.sub(2);
  EXPECT_THAT(exporter_.text(), HasSubstr("\nkernelgate_connections_open 0\n"));
}

TEST_F(ExporterTest, LabelValuesAreEscaped) {
  slots_.slot_for("a\"b\\c\nd", "e");
  EXPECT_THAT(exporter_.text(), HasSubstr("virtual_cluster=\"a\\\"b\\\\c\\nd\""));
}

struct Family {
  std::string type;
  std::set<std::string> labels;
  bool operator==(const Family&) const = default;
};
void PrintTo(const Family& family, std::ostream* out) {
  *out << family.type << ' ' << ::testing::PrintToString(family.labels);
}

// Words of lower case and '_' that stand between one of `before` and `after`.
std::vector<std::string> words_between(std::string_view text, std::string_view before, char after) {
  std::vector<std::string> words;
  for (size_t at = 0; (at = text.find_first_of(before, at)) != std::string_view::npos;) {
    const size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", ++at);
    if (end != std::string_view::npos && end > at && text[end] == after) {
      words.emplace_back(text.substr(at, end - at));
    }
  }
  return words;
}

// Families of an exposition; the samples of a family follow its TYPE line.
std::map<std::string, Family> families_of(const std::string& text) {
  std::map<std::string, Family> families;
  Family* current = nullptr;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      const size_t space = line.find(' ', 7);
      current = &families[line.substr(7, space - 7)];
      current->type = line.substr(space + 1);
    }
    if (line.starts_with('#') || line.find('{') == std::string::npos) continue;
    for (const std::string& name : words_between(line, "{,", '=')) {
      if (name != "le") current->labels.insert(name);
    }
  }
  return families;
}

TEST_F(ExporterTest, ReadmeListsEveryFamilyWithTypeAndLabels) {
  populate();
  facts_.feed.emplace().rejected = {{"behind", 1}};
  facts_.feed->facts = {{"heard", 2}};
  const auto exported = families_of(exporter_.text());
  std::map<std::string, Family> documented;
  for (const auto& row : readme_table("## Metrics")) {
    ASSERT_EQ(row.size(), 5u);
    EXPECT_FALSE(row[4].empty()) << row[0];
    Family& family = documented[row[0]];
    family.type = row[1];
    for (const std::string& name : words_between(row[3], "`", '`')) family.labels.insert(name);
  }
  EXPECT_EQ(exported, documented);
  EXPECT_GT(exported.size(), 30u);
}

TEST_F(ExporterTest, PromtoolFindsNothing) {
  if (std::system("command -v promtool >/dev/null") != 0) GTEST_SKIP() << "promtool is missing";
  populate();
  const auto file =
      std::filesystem::temp_directory_path() / ("kernelgate-metrics-" + std::to_string(::getpid()));
  std::ofstream(file) << exporter_.text();
  const std::string command = "timeout 30 promtool check metrics <" + file.string();
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::filesystem::remove(file);
}

}  // namespace kg::metrics::exporter_test
