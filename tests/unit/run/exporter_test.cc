// The table of routing/controller/README.md and the metrics are the same.
#include "routing/controller/run/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace kg::controller::exporter_test {

// "name | type | labels" of each.
std::set<std::string> documented() {
  const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
  std::ifstream file(root / "routing/controller/README.md");
  std::set<std::string> out;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `kernelgate_controller_")) continue;
    const size_t end = line.find('|', line.find('|', line.find('|', 1) + 1) + 1);
    std::string row = line.substr(2, end - 3);
    std::erase(row, '`');
    out.insert(row);
  }
  return out;
}

std::set<std::string> exported(const std::string& text) {
  std::set<std::string> out;
  std::map<std::string, std::string> types;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, kind, name, type;
    words >> hash >> kind >> name >> type;
    if (hash == "#" && kind == "TYPE") types[name] = type;
    if (hash == "#") continue;
    std::string metric = line.substr(0, line.find_first_of("{ "));
    for (const char* end : {"_bucket", "_sum", "_count"}) {
      if (metric.ends_with(end) && !types.contains(metric)) metric.resize(metric.rfind('_'));
    }
    std::string labels;
    if (const size_t open = line.find('{'); open != std::string::npos) {
      std::istringstream pairs(line.substr(open + 1, line.find('}') - open - 1));
      for (std::string pair; std::getline(pairs, pair, ',');) {
        const std::string label = pair.substr(0, pair.find('='));
        if (label == "le") continue;
        labels += (labels.empty() ? "" : ", ") + label;
      }
    }
    out.insert(metric + " | " + types[metric] + " |" + (labels.empty() ? "" : " " + labels));
  }
  return out;
}

TEST(ControllerMetricsTest, EachIsDocumentedAndNoOther) {
  ControllerFacts facts;
  const metrics::Histogram compile;
  facts.compile = &compile;
  facts.kinds = {{"Ingress"}};
  facts.forbidden = {{"ingresses.networking.k8s.io", "analytics", "403"}};
  facts.findings = {{{"error", "HostTaken"}, 3}};
  facts.object_errors = {{{ingress::Kind::kIngress, {"analytics", "jeg"}}, 2}};
  facts.writes = {{"event", {}, 0}};
  const std::string text = metrics_text(facts);
  EXPECT_THAT(text,
              testing::HasSubstr(
                  "kernelgate_controller_findings{severity=\"error\",reason=\"HostTaken\"} 3"));
  EXPECT_THAT(text, testing::HasSubstr("kernelgate_controller_object_errors{kind=\"Ingress\","
                                       "namespace=\"analytics\",name=\"jeg\"} 2"));
  EXPECT_EQ(exported(text), documented());
}

TEST(ControllerMetricsTest, OfObjectsWithErrorsTheFirstAreNamed) {
  ControllerFacts facts;
  for (size_t i = 0; i <= kObjectErrorsMax; ++i)
    facts.object_errors[{ingress::Kind::kIngress, {"a", "x" + std::to_string(1000 + i)}}] = 1;
  facts.object_errors[{ingress::Kind::kIngress, {"a", "last"}}] = 1;  // the first by its name
  const std::string text = metrics_text(facts);
  size_t named = 0;
  for (size_t at = 0; (at = text.find("object_errors{", at)) != std::string::npos; ++at) ++named;
  EXPECT_EQ(named, kObjectErrorsMax);
  EXPECT_THAT(text, testing::HasSubstr("name=\"last\""));
  EXPECT_THAT(text, testing::HasSubstr("name=\"x1254\""));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("name=\"x1255\"")));
}

}  // namespace kg::controller::exporter_test
