#include "proxy/upstream/pod_question.h"

#include <utility>

#include "proxy/base/assert.h"
#include "proxy/upstream/own_request.h"

namespace kg::upstream {

PodQuestion::PodQuestion(event::EventLoop& loop, metrics::WorkerMetrics& unexported,
                         const routing::Endpoint& endpoint, const routing::Pod& pod, size_t thread,
                         std::string_view user_agent, Told told)
    : endpoint_(endpoint),
      pod_(pod),
      user_agent_(user_agent),
      told_(std::move(told)),
      pool_(loop, unexported, unexported.endpoint(0), pod, thread),
      deadline_(loop, [this] {
        finish(Error{ErrorCode::kUpstreamTimeout, "no answer in time", 0});
      }) {}

void PodQuestion::ask(std::string_view path, uint32_t timeout_ms, size_t body_max) {
  KG_ASSERT(connection_ == nullptr);
  const Result<UpstreamConnection*> leased = pool_.lease(*this, LeaseKind::kFresh);
  if (!leased) return told_(leased.error());
  connection_ = *leased;
  answer_ = {};
  body_max_ = body_max;
  deadline_.set_ms(timeout_ms);
  connection_->begin(*this, http::Method::kGet);
  connection_->stream().write(head_of({.path = path,
                                       .token = endpoint_.gateway_token.reveal(),
                                       .user_agent = user_agent_,
                                       .accept = "*/*",
                                       .last = true},
                                      endpoint_, pod_));
}

void PodQuestion::on_response_body(std::string_view payload) {
  if (body_max_ == 0) return;
  if (answer_.body.size() + payload.size() > body_max_) {
    return finish(Error{ErrorCode::kUpstreamProtocol, "an answer larger than its bound", 0});
  }
  answer_.body.append(payload);
}

void PodQuestion::finish(const Result<Answer>& answer) {
  deadline_.clear();
  give_back();
  told_(answer);
}

void PodQuestion::give_back() {
  UpstreamConnection* connection = std::exchange(connection_, nullptr);
  if (connection != nullptr) pool_.release(*connection, false);
}

}  // namespace kg::upstream
