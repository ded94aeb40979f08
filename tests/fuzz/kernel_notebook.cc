// The body of a notebook session: whatever comes, what is read of it is bounded, and the answer
// that is made of it is JSON that says the same.
#include <nlohmann/json.hpp>

#include "proxy/base/limits.h"
#include "proxy/kernel/notebook_session.h"
#include "proxy/kernel/operation.h"
#include "tests/fuzz/fuzz.h"

namespace kg::fuzz {

void run(std::string_view input) {
  std::string fault;
  const auto asked = kernel::NotebookRequest::read(input, fault);
  if (!asked) {
    KG_ASSERT(!fault.empty() && fault.size() < 100);
    return;
  }
  KG_ASSERT(asked->kernel_name.empty() || kernel::is_spec_name(asked->kernel_name));
  KG_ASSERT(asked->kernel_id.empty() || kernel::is_kernel_id(asked->kernel_id));
  kernel::NotebookSession session = kernel::unnamed_session(asked->kernel_id);
  for (const auto& text : {asked->path, asked->name, asked->type}) {
    KG_ASSERT(!text || text->size() <= limits::kNotebookTextBytesMax);
  }
  session.path = asked->path.value_or(session.path);
  session.name = asked->name.value_or(session.name);
  session.type = asked->type.value_or(session.type);
  std::string out;
  kernel::append_notebook_session(session, "{}", out);
  const auto said = nlohmann::json::parse(out, nullptr, /*allow_exceptions=*/false);
  KG_ASSERT(said.is_object() && said["path"] == session.path && said["name"] == session.name &&
            said["type"] == session.type && said["kernel"].is_object());
}

}  // namespace kg::fuzz
