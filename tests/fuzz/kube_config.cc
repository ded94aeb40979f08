// A kubeconfig: what is taken leads to an https server, with credentials; everything else is said.
#include "routing/controller/kube/access.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  const kube::LoadedAccess loaded = kube::parse_kubeconfig(input, "/folder/kubeconfig", "");
  bool has_error = false;
  for (const config::ConfigError& error : loaded.errors) {
    has_error = has_error || !error.warning;
    KG_ASSERT(error.file == "/folder/kubeconfig" && !error.problem.empty());
  }
  KG_ASSERT(loaded.access.has_value() != has_error);
  if (!loaded.access) return;
  const kube::Access& access = *loaded.access;
  KG_ASSERT(access.server.secure && !access.server.host.empty() && access.server.port != 0);
  KG_ASSERT(!access.server.target.ends_with('/'));
  KG_ASSERT(access.chain.empty() == access.key.empty());
  KG_ASSERT(!access.token.empty() || !access.chain.empty());
}

}  // namespace kg::fuzz
