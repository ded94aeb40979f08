// What kernelgate-load says: progress while it works, a table at the end, the same as JSON.
#pragma once

#include <string>

#include "bench/load/load_run.h"

namespace kg::bench {

// Draws on stderr: a bar that rewrites its line on a terminal, else a plain line every few seconds.
class Progress {
 public:
  Progress(const LoadPlan& plan, const LoadRun& run);  // both borrowed
  void draw();                                         // call a few times a second
  void finish();
  // A line of text that leaves the bar intact.
  void say(const std::string& line);

 private:
  void clear_bar();

  const LoadPlan& plan_;
  const LoadRun& run_;
  const bool terminal_;
  bool drawn_ = false;
  Clock::time_point last_line_;
  std::string last_text_;
};

bool all_right(const LoadPlan& plan, const LoadResult& result);
std::string report_text(const LoadPlan& plan, const LoadResult& result);
// One object; times in milliseconds.
std::string report_json(const std::string& url, const LoadPlan& plan, const LoadResult& result);

}  // namespace kg::bench
