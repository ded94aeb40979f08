// kube_watcher: says on stdout what a Reflector tells, one JSON object in a line, until SIGTERM.
//
//   kube_watcher kubeconfig FILE CONTEXT      GROUP VERSION PLURAL KIND NAMESPACE
//   kube_watcher pod HOST PORT FOLDER         GROUP VERSION PLURAL KIND NAMESPACE
//
// CONTEXT, GROUP and NAMESPACE may be empty. Pages hold two objects, and waits are short.
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "proxy/event/watcher.h"
#include "routing/controller/kube/client.h"
#include "routing/controller/kube/reflector.h"

namespace {

using kg::kube::ReflectorCounts;
using Json = nlohmann::json;

void say(const Json& line) {
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

class SayingHandler final : public kg::kube::Handler {
 public:
  bool on_upsert(const Json& object) override {
    say({{"upsert", object}});
    return true;
  }
  void on_remove(const std::string& namespace_name, const std::string& name) override {
    say({{"remove", namespace_name + "/" + name}});
  }
  void on_synced() override { say({{"synced", true}}); }
};

Json counts_of(const kg::kube::Reflector& reflector) {
  const ReflectorCounts& counts = reflector.counts();
  return {{"lists", counts.lists},         {"list_errors", counts.list_errors},
          {"watches", counts.watches},     {"watch_errors", counts.watch_errors},
          {"gone", counts.gone},           {"malformed", counts.malformed},
          {"upserts", counts.upserts},     {"removes", counts.removes},
          {"problem", reflector.problem()}};
}

int run(kg::kube::Access access, kg::kube::Selection selection) {
  kg::kube::Credentials credentials(std::move(access));
  if (const std::string problem = credentials.open(); !problem.empty()) {
    say({{"errors", {problem}}});
    return 1;
  }
  kg::event::EventLoop loop;
  kg::kube::Client client(loop, credentials);
  SayingHandler handler;
  const kg::kube::ReflectorOptions options{
      .backoff_ms = 20, .backoff_ms_max = 200, .page_objects = 2};
  kg::kube::Reflector reflector(loop, client, std::move(selection), handler, options);
  const kg::event::SignalWatcher term(loop, SIGTERM, [&loop] { loop.stop(); });
  Json said;
  kg::event::Timer look(loop, [&] {
    if (Json counts = counts_of(reflector); counts != said) {
      say({{"counts", counts}});
      said = std::move(counts);
    }
    look.arm_ms(10);
  });
  look.arm_ms(10);
  reflector.start();
  loop.run();
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string> given(words, words + count);
  kg::kube::LoadedAccess loaded;
  size_t next = 0;
  if (given.size() == 9 && given[1] == "kubeconfig") {
    loaded = kg::kube::load_kubeconfig(given[2], given[3]);
    next = 4;
  } else if (given.size() == 10 && given[1] == "pod") {
    loaded = kg::kube::in_cluster({given[2], given[3], given[4]});
    next = 5;
  } else {
    std::fprintf(stderr, "the first lines of tests/e2e/kube_watcher.cc say how to call this\n");
    return 2;
  }
  if (!loaded.access) {
    Json errors;
    for (const auto& error : loaded.errors) errors.push_back(kg::config::format(error));
    say({{"errors", errors}});
    return 1;
  }
  return run(
      std::move(*loaded.access),
      {{given[next], given[next + 1], given[next + 2], given[next + 3]}, given[next + 4], "", ""});
}
