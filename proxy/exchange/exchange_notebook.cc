// Session operations of notebooks, made of the kernel operations that they come to.
//
//   asked for      | goes up as                                     | the answer
//   ListSessions   | the lists of all pods                          | the sessions of each kernel
//   GetSession     | GetKernel of its kernel                        | the session with that model
//   CreateSession  | CreateKernel, or GetKernel of one that is named | 201, a new session
//   PatchSession   | CreateKernel, or GetKernel; the kernel that it | the session as it is now
//                  | had is deleted if it has another one then       |
//   DeleteSession  | DeleteKernel of its kernel                     | the gateway's
#include <fmt/format.h>

#include "proxy/base/assert.h"
#include "proxy/base/crypto.h"
#include "proxy/base/limits.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/local_reply.h"

namespace kg::exchange {

using http::Method;
using kernel::NotebookSession;
using kernel::Operation;

namespace {

// Of a session beside a kernel's first one: this process alone knows it.
std::string new_session_id() {
  return kernel::format_kernel_id({.epoch = 0,
                                   .pod_tag = kernel::random_nonce() & 0xffffff,
                                   .nonce = kernel::random_nonce(),
                                   .owner_tag = kernel::random_nonce(),
                                   .mint_tag = kernel::random_nonce()});
}

}  // namespace

// Before anybody is known: nothing is looked up that tells a stranger anything.
void Exchange::begin_notebook() {
  const Operation asked = request_.operation;
  if (asked == Operation::kGetVersion) {
    if (endpoint_->endpoint->notebook_sessions) return;
    request_.operation = record_.operation = Operation::kOther;
    request_.path = upstream_path_;
    return;
  }
  if (!kernel::is_session_operation(asked)) return;
  if (!endpoint_->endpoint->notebook_sessions) {
    operation_error_ = {ErrorCode::kNoOperation, "notebook_sessions is off for this endpoint", 0};
    return;
  }
  notebook_ = std::make_unique<Notebook>();
  if (!request_.notebook_id.empty()) {
    notebook_->session = context_.notebooks.session(request_.notebook_id);
    request_.kernel_id = notebook_->session.kernel_id;
    record_.kernel_id = request_.kernel_id;
  }
  if (asked == Operation::kListSessions) become(Operation::kListKernels);
  if (asked == Operation::kGetSession) become(Operation::kGetKernel);
  if (asked == Operation::kDeleteSession) become(Operation::kDeleteKernel);
}

void Exchange::become(Operation operation) {
  request_.operation = operation;
  record_.effect = operation;
}

// The body tells what it comes to. True for a kernel start, which goes on as such; false when it
// went another way.
bool Exchange::read_notebook() {
  std::string fault;
  auto asked = kernel::NotebookRequest::read(held_body_, fault);
  const bool creates = record_.operation == Operation::kCreateSession;
  if (asked && creates && !asked->path) fault = "path is missing";
  if (!fault.empty()) {
    record_.detail = std::move(fault);
    fail({ErrorCode::kNotebookMalformed, "", 0});
    return false;
  }
  notebook_->asked = *std::move(asked);
  const kernel::NotebookRequest& said = notebook_->asked;
  const bool starts = said.kernel_id.empty() && (creates || !said.kernel_name.empty());
  become(starts ? Operation::kCreateKernel : Operation::kGetKernel);
  Result<void> allowed = permit(request_.operation);
  if (allowed && starts) allowed = take_place();
  if (allowed && !said.kernel_id.empty()) {
    request_.kernel_id = record_.kernel_id = said.kernel_id;
    if (!forwards()) allowed = judge_kernel();
  }
  if (!allowed) {
    fail(allowed.error());
    return false;
  }
  held_body_ =
      said.kernel_name.empty() ? "{}" : fmt::format(R"({{"name":"{}"}})", said.kernel_name);
  if (starts) {
    request_.kernel_id = {};
    return true;
  }
  held_body_.clear();
  collects_ = false;
  phase_ = Phase::kReceived;
  client_.clear_deadline();
  place();
  return false;
}

// The method of what goes up.
Method Exchange::sent_method() const noexcept {
  if (notebook_ == nullptr) return client_.head().method;
  return request_.operation == Operation::kCreateKernel   ? Method::kPost
         : request_.operation == Operation::kDeleteKernel ? Method::kDelete
                                                          : Method::kGet;
}

std::string_view Exchange::sent_method_name() const noexcept {
  return request_.operation == Operation::kCreateKernel   ? "POST"
         : request_.operation == Operation::kDeleteKernel ? "DELETE"
                                                          : "GET";
}

// What the session is after what was asked for, now that its kernel is known.
NotebookSession Exchange::notebook_session(std::string_view kernel_id) const {
  NotebookSession session = notebook_->session;
  if (record_.operation == Operation::kCreateSession) {
    session = kernel::unnamed_session(kernel_id);
    if (context_.notebooks.knows(kernel_id)) session.id = new_session_id();
  }
  session.kernel_id = kernel_id;
  const kernel::NotebookRequest& asked = notebook_->asked;
  if (asked.path) session.path = *asked.path;
  if (asked.name) session.name = *asked.name;
  if (asked.type) session.type = *asked.type;
  return session;
}

// `model`: of its kernel, as the gateway wrote it.
void Exchange::answer_notebook(const std::string& model) {
  const auto read = kernel::KernelList::read("[" + model + "]");
  if (!read || read->kernels().size() != 1) {
    return fail({ErrorCode::kUpstreamProtocol, "a kernel that cannot be judged", 0});
  }
  const kernel::ListedKernel& kernel = read->kernels().front();
  const NotebookSession session = notebook_session(kernel.id);
  const bool created = record_.operation == Operation::kCreateSession;
  if (created || record_.operation == Operation::kPatchSession) {
    const std::string before = created ? std::string() : notebook_->session.kernel_id;
    context_.notebook_board.put(context_.notebooks, session);
    if (!before.empty() && before != kernel.id) discard_kernel(before);
  }
  std::string text = "[";
  kernel::append_listed(kernel, text);
  std::string body;
  kernel::append_notebook_session(session, std::string_view(text).substr(1), body);
  std::string location;
  if (created) location = endpoint_->endpoint->location_prefix() + "/api/sessions/" + session.id;
  send_local(created ? 201 : 200, location, body);
}

// A session that changed its kernel leaves none behind.
void Exchange::discard_kernel(const std::string& kernel_id) {
  std::optional<uint32_t> tag;
  if (client_.kernel_access().is_minted(kernel_id)) {
    tag = kernel::parse_kernel_id(kernel_id)->pod_tag;
  }
  upstream::LocalPod* pod = endpoint_->pods.front().get();
  if (endpoint_->has_places()) {
    const routing::Placement at = endpoint_->place_by(kernel_id, tag, endpoint_->view_pods());
    if (at.step != routing::Placement::Step::kGo) {
      return log_unfollowed(*pod, kernel_id, "a session changed its kernel, nobody holds this one");
    }
    pod = endpoint_->pods[at.pod].get();
  }
  auto launch = std::make_unique<Launch>(kernel::LaunchBody());
  launch->answer->kernel_id = kernel_id;
  if (forwards()) launch->token = callers_token();
  context_.followers.discard(std::move(launch), context_.endpoints.pin(endpoint_->endpoint), *pod);
}

void Exchange::append_sessions_of(const kernel::ListedKernel& kernel, std::string& out) const {
  std::string model = "[";
  kernel::append_listed(kernel, model);
  for (const NotebookSession& session : context_.notebooks.of_kernel(kernel.id)) {
    if (out.size() > 1) out += ", ";
    kernel::append_notebook_session(session, std::string_view(model).substr(1), out);
  }
}

// What the server whose API this is says of itself (domain J1): clients look whether it is there.
void Exchange::answer_version() { send_local(200, "", "{\"version\": \"1.24.0\"}"); }

void Exchange::send_local(uint16_t status, std::string_view location, std::string_view body) {
  const bool reuse = client_.may_reuse() && body_.done();
  record_.status = status;
  if (record_.first_byte_us == 0) record_.first_byte_us = event::monotonic_us();
  record_.bytes_out = body.size();
  LocalReply reply{record_.request_id, !reuse, client_.head().method == Method::kHead};
  reply.page = page_fields();
  context_.scratch.clear();
  append_launch_reply(status, location, body, reply, context_.scratch);
  client_.stream().write(context_.scratch);
  release_upstream(true);
  finish(reuse);
}

}  // namespace kg::exchange
