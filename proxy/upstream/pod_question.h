// PodQuestion: a GET of the proxy's own to a gateway pod, with the endpoint's token, over a
// connection of its own. What the control thread asks pods with.
//
// Owner:  who asks, one at a time; borrows endpoint and pod. Thread: the owner's.
// Limits: the deadline is for connection and whole answer; a body of `body_max` bytes is kept, more
//         of it is kUpstreamProtocol. With 0 none is kept, however much comes.
// Errors: those of pool and connection, and kUpstreamTimeout: to `told`, which is called once for
//         each ask(), perhaps inside it. The error of a side that is not upstream says nothing of
//         the pod.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "proxy/upstream/pod_pool.h"
#include "routing/endpoint.h"

namespace kg::upstream {

class PodQuestion final : private UpstreamHandler, private LeaseWaiter {
 public:
  struct Answer {
    uint16_t status = 0;
    std::string body;
  };
  using Told = std::function<void(const Result<Answer>& answer)>;

  // `unexported`: counters of connections that serve no request. `thread`: as PodPool's.
  PodQuestion(event::EventLoop& loop, metrics::WorkerMetrics& unexported,
              const routing::Endpoint& endpoint, const routing::Pod& pod, size_t thread,
              std::string_view user_agent, Told told);
  ~PodQuestion() { give_back(); }
  PodQuestion(const PodQuestion&) = delete;
  PodQuestion& operator=(const PodQuestion&) = delete;

  // `path`: of the gateway, below its base URL.
  void ask(std::string_view path, uint32_t timeout_ms, size_t body_max);

 private:
  void finish(const Result<Answer>& answer);
  void give_back();
  void on_response_head(const http::ResponseHead& head) override { answer_.status = head.status; }
  void on_interim_head(const http::ResponseHead&) override {}
  void on_response_body(std::string_view payload) override;
  void on_response_end() override { finish(std::move(answer_)); }
  void on_tunnel_data(std::string_view) override {}
  void on_tunnel_end() override {}
  void on_upstream_drained() override {}
  void on_upstream_error(const Error& error) override { finish(error); }
  void on_lease(UpstreamConnection&) override {}  // never queued: one at a time
  void on_lease_failed(const Error&) override {}

  const routing::Endpoint& endpoint_;
  const routing::Pod& pod_;
  std::string user_agent_;
  Told told_;
  PodPool pool_;
  event::Deadline deadline_;
  UpstreamConnection* connection_ = nullptr;  // leased
  Answer answer_;
  size_t body_max_ = 0;
};

}  // namespace kg::upstream
