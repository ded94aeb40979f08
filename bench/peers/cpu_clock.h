// CPU time of other processes, user and system together, to the nanosecond.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace kg::bench {

// Nanoseconds used so far by all threads of the process and, recursively, of its children that are
// alive. Reads clock_getcpuclockid(3): exact where /proc/PID/stat counts ticks of 10 ms.
// 0 for a process that is gone.
int64_t cpu_ns_of_tree(pid_t root);
int64_t cpu_ns_of_this_process();

}  // namespace kg::bench
