// Client: HTTP exchanges with the API server on the controller's loop, by libcurl.
//
// A Call is one exchange. Its owner holds it; `done` comes once, not within send() or watch(). A
// call that is destroyed or cancelled before says no more.
//
// Owner:  the controller; outlives its calls, those that its loop will delete too. Thread: the
//         loop's.
// Limits: kCallsMax calls at a time. Deadlines are kept here and not by libcurl (fetch/fetcher.cc
//         says why). An answer that is no stream has at most answer_bytes_max.
// Errors: Reply; its problem is for logs and holds no secret.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/event/event_loop.h"
#include "proxy/fetch/driver.h"
#include "proxy/fetch/request.h"
#include "routing/controller/kube/credentials.h"
#include "routing/controller/kube/limits.h"

namespace kg::kube {

struct CallRequest {
  fetch::Method method = fetch::Method::kGet;
  std::string target;        // below the server's: "/api/v1/..."
  std::string content_type;  // of the body
  Secret body;               // it may be a Secret object
  uint32_t deadline_ms = kCallMs;
  size_t answer_bytes_max = kAnswerBytesMax;
};

// What a status says of an object: it is not there; it is, or is not as the writer had read it.
inline constexpr int kNotFound = 404;
inline constexpr int kConflict = 409;

struct Reply {
  fetch::Failure failure = fetch::Failure::kNone;
  int status = 0;       // 0: no answer came
  std::string problem;  // "" for a 2xx that came whole
  std::string body;
  uint32_t retry_after_ms = 0;  // what the server asks for, at most kRetryAfterMsMax

  bool ok() const noexcept { return problem.empty(); }
};

// The body of a watch's 200, outside of libcurl: it may send and destroy other calls.
class StreamHandler {
 public:
  virtual void on_stream_open() = 0;
  virtual void on_stream_bytes(std::string_view bytes) = 0;

 protected:
  ~StreamHandler() = default;
};

// Within a callback of its own it is cancelled, if need be, and dies by EventLoop::defer_delete.
class Call : public event::Deferred {
 public:
  virtual void cancel() noexcept = 0;
};

class Client {
 public:
  using Done = std::function<void(const Reply&)>;

  Client(event::EventLoop& loop, Credentials& credentials);
  ~Client();  // after its calls
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::unique_ptr<Call> send(CallRequest request, Done done);
  // `deadline_ms` is the whole watch's; its head has to come within kWatchOpenMs.
  std::unique_ptr<Call> watch(CallRequest request, StreamHandler& handler, Done done);

  size_t open_calls() const noexcept { return open_; }

 private:
  class Exchange;
  std::unique_ptr<Call> begin(CallRequest request, StreamHandler* handler, Done done);
  fetch::Request request_of(CallRequest request) const;

  event::EventLoop& loop_;
  Credentials& credentials_;
  std::unordered_map<fetch::Transfer*, Exchange*> running_;
  size_t open_ = 0;
  fetch::Driver driver_;
};

}  // namespace kg::kube
