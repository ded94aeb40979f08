// Manifests as files: objects or problems, whatever the text; and the check of them ends with 0
// or 1.
#include <sstream>

#include "routing/controller/check/command.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  check::Manifests manifests;
  check::parse_manifests(input, "fuzz.yaml", manifests);
  for (const check::Manifest& manifest : manifests.objects) {
    KG_ASSERT(manifest.object.is_object() && manifest.place.starts_with("fuzz.yaml:"));
    KG_ASSERT(!ingress::text(manifest.object, "kind").empty());
  }
  for (const std::string& problem : manifests.problems)
    KG_ASSERT(problem.starts_with("fuzz.yaml") && problem.find('\n') == std::string::npos);
  std::ostringstream said;
  check::Options options;
  options.class_name = "kernelgate";
  const int code = check::check(manifests, options, said);
  KG_ASSERT(code == 0 || (code == 1 && !said.str().empty()));
}

}  // namespace kg::fuzz
