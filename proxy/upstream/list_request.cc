#include "proxy/upstream/list_request.h"

#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"
#include "proxy/http/forwarding.h"
#include "proxy/upstream/local_pod.h"
#include "proxy/upstream/own_request.h"

namespace kg::upstream {
namespace {

Error error_of(uint16_t status) noexcept {
  if (status == 401) return {ErrorCode::kUpstreamToken, "", 0};
  if (status == 403) return {ErrorCode::kListRefused, "", 0};
  return {ErrorCode::kUpstreamProtocol, "no 200 for a list", 0};
}

}  // namespace

Result<void> ListRequest::begin(const Secret& token) {
  KG_ASSERT(state_ == State::kIdle);
  retried_ = false;
  token_ = token;
  const Result<void> leased = lease(LeaseKind::kAny);
  if (!leased) pod_.failed(leased.error().code, loop_.now_us());
  return leased;
}

Result<void> ListRequest::lease(LeaseKind kind) {
  const Result<UpstreamConnection*> leased = pod_.pool.lease(*this, kind);
  if (!leased) return leased.error();
  state_ = State::kQueued;
  if (*leased != nullptr) ask(**leased);
  return {};
}

void ListRequest::on_lease_failed(const Error& error) {
  state_ = State::kIdle;  // the queue has forgotten us
  fail(error);
}

void ListRequest::ask(UpstreamConnection& connection) {
  state_ = State::kAsking;
  connection_ = &connection;
  body_.clear();
  connection.begin(*this, http::Method::kGet);
  const std::string path = path_of(kernel::Operation::kListKernels, "");
  connection.stream().write(
      head_of({.path = path, .token = token_.reveal()}, pod_.endpoint, pod_.pod));
}

void ListRequest::on_response_head(const http::ResponseHead& head) {
  pod_.answered(head.status, loop_.now_us());
  if (head.status != 200) return end(error_of(head.status));
  if (http::is_coded(head)) fail({ErrorCode::kUpstreamProtocol, "a compressed list", 0});
}

void ListRequest::on_response_body(std::string_view payload) {
  if (body_.size() + payload.size() > limits::kListBytesMax) {
    return fail({ErrorCode::kUpstreamProtocol, "the list is too long", 0});
  }
  body_.append(payload);
}

void ListRequest::on_response_end() {
  give_back(true);
  owner_.on_list_answer(std::move(body_));
}

void ListRequest::on_upstream_error(const Error& error) {
  const bool again = !retried_ && connection_->reused() && error.row().retry == Retry::kIfUnsent;
  if (!again) return fail(error);
  retried_ = true;
  give_back(false);
  const Result<void> leased = lease(LeaseKind::kFresh);
  if (!leased) fail(leased.error());
}

void ListRequest::fail(const Error& error) {
  pod_.failed(error.code, loop_.now_us());
  end(error);
}

void ListRequest::end(const Error& error) {
  give_back(false);
  owner_.on_list_answer(error);
}

void ListRequest::give_back(bool healthy) {
  if (state_ == State::kQueued) pod_.pool.cancel(*this);
  state_ = State::kIdle;
  UpstreamConnection* connection = std::exchange(connection_, nullptr);
  if (connection != nullptr) pod_.pool.release(*connection, healthy);
}

}  // namespace kg::upstream
