#include "proxy/server/session_keeper.h"

#include <string>
#include <utility>

#include "proxy/base/log.h"

namespace kg::server {

void SessionKeeper::adopt(std::vector<std::shared_ptr<auth::SessionFile>> files) {
  watched_.clear();
  for (auto& file : files) {
    FileWatch watch({file->path()});
    watched_.push_back({std::move(file), std::move(watch)});
  }
}

void SessionKeeper::look() {
  using Outcome = auth::SessionFile::Outcome;
  for (Watched& watched : watched_) {
    if (!watched.watch.changed()) continue;
    std::string problem;
    const Outcome outcome = watched.file->reload(problem);
    if (outcome == Outcome::kFresh) {
      ++reloads_.ok;
      log::info("sessions", "reloaded file={}", watched.file->path());
    } else if (outcome == Outcome::kUnusable) {
      ++reloads_.failed;
      log::error("sessions", "{}; what was loaded before serves on", problem);
    }
  }
}

}  // namespace kg::server
