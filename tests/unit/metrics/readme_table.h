// Reads a table of metrics/README.md, so that tests can compare it with the code.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace kg::metrics {

// Rows of the first table after the heading, without header and rule; backticks around the first
// cell are removed.
inline std::vector<std::vector<std::string>> readme_table(std::string_view heading) {
  const auto root = std::filesystem::path(__FILE__).parent_path() / "../../..";
  std::ifstream file(root / "metrics/README.md");
  std::vector<std::vector<std::string>> rows;
  bool in_section = false;
  int table_line = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) in_section = line == heading;
    if (!in_section || !line.starts_with('|') || ++table_line <= 2) continue;
    std::vector<std::string> cells;
    for (size_t at = 1; at < line.size();) {
      const size_t end = line.find('|', at);
      if (end == std::string::npos) break;
      std::string cell = line.substr(at, end - at);
      cell.erase(0, cell.find_first_not_of(' '));
      cell.erase(cell.find_last_not_of(' ') + 1);
      cells.push_back(cell);
      at = end + 1;
    }
    if (!cells.empty()) std::erase(cells[0], '`');
    rows.push_back(std::move(cells));
  }
  return rows;
}

}  // namespace kg::metrics
