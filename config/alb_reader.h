// Reads the authenticator `alb`: sessions that an AWS load balancer vouches for.
//
// Thread: control. Problems go to the section's collector.
#pragma once

#include "config/config.h"
#include "config/files.h"
#include "config/problems.h"
#include "config/section.h"

namespace kg::config {

AlbSessions read_alb(const Section& section, const Files& files);
// Without trusted proxies everybody could send what only a load balancer may: an error at each
// `alb`.
void check_load_balancers(const Config& config, Problems& problems);

}  // namespace kg::config
