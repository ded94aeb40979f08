// ListRequest: one pod asked once for its kernels, by the worker itself.
//
// Owner:  whoever asks; its death cancels. Thread: the worker's.
// Limits: kListBytesMax. Its request counts among those of the pool. The owner keeps the deadline.
// Errors: those of the pool and the connection; kUpstreamToken for a 401, kListRefused for a 403 of
//         a gateway that does not list its kernels (domain J8), else kUpstreamProtocol. A GET is
//         sent again once where its connection was closed under it (RFC 9110 section 9.2.2).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/secret.h"
#include "proxy/upstream/pod_pool.h"

namespace kg::upstream {

struct LocalPod;

class ListRequestOwner {
 public:
  // A 200's body, not looked at. It may end the request's life.
  virtual void on_list_answer(Result<std::string> body) = 0;

 protected:
  ~ListRequestOwner() = default;
};

class ListRequest final : private UpstreamHandler, private LeaseWaiter {
 public:
  ListRequest(event::EventLoop& loop, LocalPod& pod, ListRequestOwner& owner)
      : loop_(loop), pod_(pod), owner_(owner) {}
  ~ListRequest() { cancel(); }
  ListRequest(const ListRequest&) = delete;
  ListRequest& operator=(const ListRequest&) = delete;

  // Its answer is told, once, unless it is cancelled; never from inside. Not while one runs.
  Result<void> begin(const Secret& token);
  void cancel() { give_back(false); }
  bool runs() const noexcept { return state_ != State::kIdle; }

 private:
  enum class State : uint8_t { kIdle, kQueued, kAsking };

  Result<void> lease(LeaseKind kind);
  void ask(UpstreamConnection& connection);
  void fail(const Error& error);  // of the pod
  void end(const Error& error);
  void give_back(bool healthy);
  void on_lease(UpstreamConnection& connection) override { ask(connection); }
  void on_lease_failed(const Error& error) override;
  void on_response_head(const http::ResponseHead& head) override;
  void on_interim_head(const http::ResponseHead&) override {}
  void on_response_body(std::string_view payload) override;
  void on_response_end() override;
  void on_tunnel_data(std::string_view) override {}
  void on_tunnel_end() override {}
  void on_upstream_drained() override {}
  void on_upstream_error(const Error& error) override;

  event::EventLoop& loop_;
  LocalPod& pod_;
  ListRequestOwner& owner_;
  Secret token_;
  std::string body_;
  UpstreamConnection* connection_ = nullptr;  // leased
  State state_ = State::kIdle;
  bool retried_ = false;
};

}  // namespace kg::upstream
