// Reads what concerns kernels: who owns them, what their starts may say, the keys of their ids.
//
// Thread: control. Problems go to the section's collector.
#pragma once

#include "config/config.h"
#include "config/files.h"
#include "config/section.h"

namespace kg::config {

// `kernel_ids` and `state_dir`.
void read_kernel_ids(const Section& root, const Files& files, Config& out);
// `kernels` of an endpoint: what its starts may say.
void read_kernels(const Section& section, Kernels& out);
// `foreign_ids` of an endpoint.
ForeignIds read_foreign_ids(const Section& endpoint);
// `sharing` of its sessions.
Sharing read_sharing(const Section& sessions);

}  // namespace kg::config
