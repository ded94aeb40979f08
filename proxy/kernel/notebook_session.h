// What direct clients (JupyterLab, VS Code) call a session: a document and the kernel that runs it.
// Gateways start a kernel for every session, without any environment and for nobody in particular
// (domain J10), so the proxy answers these requests itself, out of the kernel operations.
//
// The id of a kernel's first session is the kernel's, and that of a further one begins with it: any
// replica of the proxy finds the kernel, and so the owner, by it. Only what else is said of a
// session is known to the process that was told.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kg::kernel {

// The body of a CreateSession or PatchSession. Members that are not listed here do not count.
struct NotebookRequest {
  std::optional<std::string> path;  // also `notebook.path`, as older clients write it
  std::optional<std::string> name;
  std::optional<std::string> type;  // "notebook", "console", "file"
  std::string kernel_name;          // "": not said, or null
  std::string kernel_id;            // the same; is_kernel_id()

  // nullopt, and what is wrong in words for the client: anything but one JSON object (UTF-8, no
  // NUL, at most kNotebookDepthMax levels) whose members of these names are texts within
  // kNotebookTextBytesMax, or null. Members may stand twice: it goes no further, the last counts.
  static std::optional<NotebookRequest> read(std::string_view body, std::string& fault);
};

struct NotebookSession {
  std::string id;
  std::string kernel_id;
  std::string path;
  std::string name;
  std::string type;
};

// Of a session that this process knows nothing of but its id.
NotebookSession unnamed_session(std::string_view id);
// For a further session of that kernel.
std::string further_session_id(std::string_view kernel_id);

// Appends the session as JSON. `kernel_model`: the JSON object that the gateway gave for its
// kernel.
void append_notebook_session(const NotebookSession& session, std::string_view kernel_model,
                             std::string& out);

}  // namespace kg::kernel
