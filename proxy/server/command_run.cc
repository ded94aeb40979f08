#include <sys/resource.h>

#include <csignal>
#include <memory>

#include "config/loader.h"
#include "proxy/base/log.h"
#include "proxy/server/commands.h"
#include "proxy/server/server.h"

namespace kg::server {
namespace {

void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit none{0, 0};  // a core dump would hold tokens and keys
  setrlimit(RLIMIT_CORE, &none);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;  // two descriptors per open notebook
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

}  // namespace

int run_command(const std::string& config_file) {
  prepare_process();
  config::Loaded loaded = config::load_file(config_file);
  for (const config::ConfigError& error : loaded.errors) {
    if (error.warning) {
      log::warn("config", "{}", config::format(error));
    } else {
      log::error("config", "{}", config::format(error));
    }
  }
  if (!loaded.config) return 2;
  // On the heap: it holds what has a cache line of its own, and the address sanitizer's stack does
  // not align to 64 bytes.
  return std::make_unique<Server>(std::move(*loaded.config))->run();
}

}  // namespace kg::server
