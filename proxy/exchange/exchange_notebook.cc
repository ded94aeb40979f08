// Session operations of notebooks, made of the kernel operations that they come to.
//
//   asked for      | goes up as                                     | the answer
//   ListSessions   | the lists of all pods                          | the sessions of each kernel
//   GetSession     | GetKernel of its kernel                        | the session with that model
//   CreateSession  | CreateKernel, or GetKernel of one that is named | 201, a new session
//   PatchSession   | CreateKernel, or GetKernel; the kernel that it | the session as it is now
//                  | had is deleted if it has another one then       |
//   DeleteSession  | DeleteKernel of its kernel                     | the gateway's
//
// Rights are those of both operations, and support roles have none over sessions of others. What
// goes up is made here: of the client's request neither method nor body.
#include <fmt/format.h>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/base/log.h"
#include "proxy/exchange/audit.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/exchange/local_reply.h"

namespace kg::exchange {

using http::Method;
using kernel::NotebookSession;
using kernel::Operation;

// Its sender is known, and may use the endpoint.
void Exchange::begin_notebook() {
  const Operation asked = request_.operation;
  if (!kernel::is_of_notebooks(asked) || asked == Operation::kGetVersion) return;
  notebook_ = std::make_unique<Notebook>();
  if (!request_.notebook_id.empty()) {
    notebook_->session = context_.notebooks.session(endpoint_->endpoint->id, request_.notebook_id);
    request_.kernel_id = notebook_->session.kernel_id;
    record_.kernel_id = request_.kernel_id;
  }
  if (asked == Operation::kListSessions) become(Operation::kListKernels);
  if (asked == Operation::kGetSession) become(Operation::kGetKernel);
  if (asked == Operation::kDeleteSession) become(Operation::kDeleteKernel);
}

void Exchange::become(Operation operation) { request_.operation = record_.effect = operation; }

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
  const std::string& named = said.kernel_id;
  notebook_->leaves_kernel =
      !creates && (starts || (!named.empty() && named != notebook_->session.kernel_id));
  become(starts ? Operation::kCreateKernel : Operation::kGetKernel);
  const Result<void> judged = judge_notebook(starts);
  if (!judged) {
    fail(judged.error());
    return false;
  }
  held_body_.clear();
  if (starts) {
    request_.kernel_id = {};
    held_body_ =
        said.kernel_name.empty() ? "{}" : fmt::format(R"({{"name":"{}"}})", said.kernel_name);
    return true;
  }
  collects_ = false;
  phase_ = Phase::kReceived;
  client_.clear_deadline();
  place();
  return false;
}

// What the head did not tell: whether the caller may do what it comes to, with that kernel.
Result<void> Exchange::judge_notebook(bool starts) {
  Result<void> allowed = permit(request_.operation);
  if (allowed && notebook_->leaves_kernel) allowed = permit(Operation::kDeleteKernel);
  if (allowed && starts) allowed = take_place();
  const std::string& named = notebook_->asked.kernel_id;
  if (!allowed || named.empty()) return allowed;
  request_.kernel_id = record_.kernel_id = named;
  return judge_kernel();
}

// Bodies that nobody reads are dropped: a list has no use for one, and what a session operation
// sends up has no room for the client's.
bool Exchange::ignores_body() const noexcept {
  return phase_ == Phase::kListing || (notebook_ != nullptr && phase_ != Phase::kCollecting);
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

// No error; nothing passes but what gateways answer to that operation.
void Exchange::take_notebook_head(const http::ResponseHead& head) {
  const bool starts = request_.operation == Operation::kCreateKernel;
  const bool deletes = request_.operation == Operation::kDeleteKernel;
  if ((starts && head.status == 201) || (deletes && head.status == 204)) {
    return relay_answer_head(head);
  }
  if (!starts && !deletes) return hold_list(head);
  const Error error{ErrorCode::kUpstreamProtocol, "no answer to a session operation", 0};
  return starts ? launch_failed(error) : fail(error);
}

// `model`: of its kernel, as the gateway wrote it.
void Exchange::answer_notebook(const std::string& model) {
  const auto read = kernel::KernelList::read("[" + model + "]");
  if (!read || read->kernels().size() != 1 || read->kernels().front().id != record_.kernel_id) {
    const Error error{ErrorCode::kUpstreamProtocol, "not the kernel that was asked for", 0};
    return launch_ != nullptr ? launch_failed(error) : fail(error);
  }
  if (launch_ != nullptr) launch_->ticket.answered(launch_->answer);
  const bool created = record_.operation == Operation::kCreateSession;
  const NotebookSession session =
      record_.operation == Operation::kGetSession ? notebook_->session : change_notebook();
  if (notebook_->leaves_kernel) leave_kernel();
  std::string text = "[";
  kernel::append_listed(read->kernels().front(), text);
  std::string body;
  kernel::append_notebook_session(session, std::string_view(text).substr(1), body);
  std::string location;
  if (created) location = endpoint_->endpoint->location_prefix() + "/api/sessions/" + session.id;
  send_local(created ? 201 : 200, location, body);
}

// What the session is now that its kernel is known.
NotebookSession Exchange::change_notebook() {
  const std::string& kernel_id = record_.kernel_id;
  const bool created = record_.operation == Operation::kCreateSession;
  std::string id = created ? kernel_id : notebook_->session.id;
  if (created && launch_ == nullptr) id = kernel::further_session_id(kernel_id);
  NotebookTable::NewKernel kernel{{}, launch_ != nullptr};
  if (created || notebook_->leaves_kernel) kernel.id = kernel_id;
  NotebookTable::Change change =
      context_.notebooks.change(endpoint_->endpoint->id, id, kernel, notebook_->asked);
  if (change.forgot) context_.metrics.hit(metrics::Limit::kNotebooks);
  return std::move(change.session);
}

// A session that changed its kernel leaves none behind, whatever else used it: as a Jupyter server
// does.
void Exchange::leave_kernel() {
  const std::string& kernel_id = notebook_->session.kernel_id;
  context_.notebooks.forget_kernel(endpoint_->endpoint->id, kernel_id);
  audit_leaving();
  upstream::LocalPod* pod = endpoint_->pods.front().get();
  if (endpoint_->has_places()) {
    std::optional<uint32_t> tag;
    if (client_.kernel_access().is_minted(kernel_id)) {
      tag = kernel::parse_kernel_id(kernel_id)->pod_tag;
    }
    using Step = routing::Placement::Step;
    const routing::Placement at = endpoint_->place_by(kernel_id, tag, endpoint_->view_pods());
    if (at.step != Step::kGo && at.step != Step::kRevive) {
      endpoint_->counters.orphans_left.add();
      return log::warn("kernels", "a session left its kernel, and no pod holds it kernel={}",
                       kernel_id);
    }
    pod = endpoint_->pods[at.pod].get();  // a DELETE makes it load the kernel, if need be (J22)
  }
  auto launch = std::make_unique<Launch>(kernel::LaunchBody());
  launch->answer->kernel_id = kernel_id;
  context_.followers.discard(std::move(launch), context_.endpoints.pin(endpoint_->endpoint), *pod);
}

// An event of its own, beside the new kernel's.
void Exchange::audit_leaving() {
  if (!context_.audit.enabled()) return;
  ExchangeRecord leaving = record_;
  leaving.effect = Operation::kDeleteKernel;
  leaving.kernel_id = notebook_->session.kernel_id;
  leaving.status = 202;
  const auto line = audit_record(leaving, endpoint_->endpoint.get(), client_.facts());
  if (line) context_.audit.write(*line);
}

// The gateway says that a kernel is gone; by what else it says 404 it may still come (J22).
void Exchange::forget_notebooks(uint16_t status) {
  const bool deletes = request_.operation == Operation::kDeleteKernel;
  const bool gone = (deletes && (status < 300 || status == 404)) ||
                    (request_.operation == Operation::kGetKernel && status == 404);
  if (gone) context_.notebooks.forget_kernel(endpoint_->endpoint->id, request_.kernel_id);
}

void Exchange::append_sessions_of(const kernel::ListedKernel& kernel, std::string& out) const {
  std::string model = "[";
  kernel::append_listed(kernel, model);
  const std::string& endpoint = endpoint_->endpoint->id;
  for (const NotebookSession& session : context_.notebooks.of_kernel(endpoint, kernel.id)) {
    if (out.size() > 1) out += ", ";
    kernel::append_notebook_session(session, std::string_view(model).substr(1), out);
  }
}

// What the server whose API this is says of itself (domain J1): clients look whether it is there.
void Exchange::answer_version() { send_local(200, "", "{\"version\": \"1.24.0\"}"); }

void Exchange::send_local(uint16_t status, std::string_view location, std::string_view body) {
  const bool reuse = client_.may_reuse() && body_.done();
  const bool head_only = client_.head().method == Method::kHead;
  record_.status = status;
  record_.bytes_out = head_only ? 0 : body.size();
  if (record_.first_byte_us == 0) record_.first_byte_us = event::monotonic_us();
  LocalReply reply{record_.request_id, !reuse, head_only};
  reply.page = page_fields();
  context_.scratch.clear();
  append_launch_reply(status, location, body, reply, context_.scratch);
  client_.stream().write(context_.scratch);
  release_upstream(true);
  finish(reuse);
}

}  // namespace kg::exchange
