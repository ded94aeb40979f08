#include "routing/controller/issuer/counts.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "routing/controller/issuer/audit.h"

namespace kg::issuer::counts_test {

using testing::HasSubstr;

TEST(Counts, AreOfferedToPrometheus) {
  Counts counts;
  ++counts.calls[static_cast<size_t>(outcome_of(403))];
  counts.reviews = 2;
  const std::string text = metrics_text(counts, 3);
  EXPECT_THAT(text, HasSubstr("kernelgate_credentials_calls_total{outcome=\"forbidden\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_credentials_calls_total{outcome=\"issued\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE kernelgate_credentials_reviews_total counter\n"
                              "kernelgate_credentials_reviews_total 2\n"));
  EXPECT_THAT(text, HasSubstr("kernelgate_credentials_connections_open 3\n"));
}

// "name | type" of each row of the room's README.
std::set<std::string> documented() {
  const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
  std::ifstream file(root / "routing/controller/issuer/README.md");
  std::set<std::string> out;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `kernelgate_credentials_")) continue;
    std::string row = line.substr(2, line.find('|', line.find('|', 1) + 1) - 3);
    std::erase(row, '`');
    out.insert(row);
  }
  return out;
}

TEST(Counts, AreDocumentedAndNoOthers) {
  std::set<std::string> offered;
  std::istringstream lines(metrics_text({}, 0));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, kind, name, type;
    words >> hash >> kind >> name >> type;
    if (kind == "TYPE") offered.insert(name + " | " + type);
  }
  EXPECT_EQ(offered, documented());
}

TEST(Audit, IsOneLineWhateverCallersAreCalled) {
  Decision decision;
  decision.wall_us = 1'800'000'000'000'000;
  decision.outcome = outcome_name(Outcome::kForbidden);
  decision.status = 403;
  decision.target = {"a", "b"};
  decision.caller = "x\n\"y\xff";
  EXPECT_EQ(audit_line(decision),
            "{\"time\":\"2027-01-15T08:00:00Z\",\"event\":\"credentials\",\"outcome\":"
            "\"forbidden\",\"status\":403,\"caller\":\"x\\n\\\"y\xef\xbf\xbd\","
            "\"virtual_cluster\":\"a\",\"endpoint\":\"b\"}\n");
}

}  // namespace kg::issuer::counts_test
