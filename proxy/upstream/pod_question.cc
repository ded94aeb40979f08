#include "proxy/upstream/pod_question.h"

#include <utility>

#include "proxy/base/assert.h"

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
  connection_->stream().write(request(path));
}

std::string PodQuestion::request(std::string_view path) const {
  std::string out = "GET ";
  if (!endpoint_.strip_prefix) out.append(endpoint_.path_prefix);
  out.append(path).append(" HTTP/1.1\r\nHost: ").append(pod_.address.text());
  out.append("\r\nUser-Agent: ").append(user_agent_).append("\r\nAccept: */*\r\n");
  if (!endpoint_.gateway_token.empty()) {
    out.append("Authorization: token ").append(endpoint_.gateway_token.reveal()).append("\r\n");
  }
  return out.append("Connection: close\r\n\r\n");
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
