#include "bench/peers/cpu_clock.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "proxy/base/ascii.h"

namespace kg::bench {

namespace {

int64_t ns_of(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

int64_t cpu_ns_of(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return ns_of(time);
}

// Parent of a process: the second field after the name, which is in parentheses and may hold any.
pid_t parent_of(const std::string& stat) {
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  char state = 0;
  int parent = 0;
  return std::sscanf(stat.c_str() + name_end + 1, " %c %d", &state, &parent) == 2 ? parent : 0;
}

std::multimap<pid_t, pid_t> children_by_parent() {
  std::multimap<pid_t, pid_t> children;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto pid = ascii::parse_decimal(entry.path().filename().string());
    if (!pid) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    if (std::getline(file, stat)) children.emplace(parent_of(stat), static_cast<pid_t>(*pid));
  }
  return children;
}

}  // namespace

int64_t cpu_ns_of_tree(pid_t root) {
  const auto children = children_by_parent();
  std::vector<pid_t> tree{root};
  int64_t total = 0;
  for (size_t i = 0; i < tree.size(); ++i) {
    total += cpu_ns_of(tree[i]);
    const auto [begin, end] = children.equal_range(tree[i]);
    for (auto child = begin; child != end; ++child) tree.push_back(child->second);
  }
  return total;
}

int64_t cpu_ns_of_this_process() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return ns_of(time);
}

}  // namespace kg::bench
