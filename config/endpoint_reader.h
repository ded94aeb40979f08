// Reads one entry of `endpoints`.
//
// Thread: control. Problems go to the section's collector.
#pragma once

#include "config/config.h"
#include "config/files.h"
#include "config/routes.h"
#include "config/section.h"

namespace kg::config {

Endpoint read_endpoint(const Section& section, const Files& files, RouteClaims& claims);
// One whose hosts, path prefix and pods come from elsewhere: their keys are refused.
Endpoint read_lone_endpoint(const Section& section, const Files& files);

}  // namespace kg::config
