// StatusServer: plain HTTP for kubelet and Prometheus, over libevent's evhttp on the control loop.
//
// GET and HEAD of registered paths only; bodies of at most 8 KiB are read, heads of at most 16 KiB,
// idle connections end after 60 s. Not a data path: nothing here reaches a gateway.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/event_loop.h"

struct evhttp;
struct evhttp_request;

namespace kg::event {

class StatusServer {
 public:
  struct Answer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
  };
  using Page = std::function<Answer()>;

  explicit StatusServer(EventLoop& loop);
  ~StatusServer();
  void add_page(const std::string& path, Page page) { pages_[path] = std::move(page); }
  Result<uint16_t> listen(const SocketAddress& address);  // the bound port

 private:
  static void request_cb(evhttp_request* request, void* self) noexcept;
  void answer(evhttp_request* request);
  struct HttpFree {
    void operator()(evhttp* handle) const noexcept;
  };
  std::unique_ptr<evhttp, HttpFree> http_;
  std::map<std::string, Page> pages_;
};

}  // namespace kg::event
