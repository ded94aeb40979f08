// StatusServer: plain HTTP for kubelet, Prometheus and operators, over libevent's evhttp on the
// control loop.
//
// Registered methods and paths only; bodies of at most 8 KiB are read, heads of at most 16 KiB,
// idle connections end after 60 s. Not a data path: nothing here reaches a gateway.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/event/address.h"
#include "proxy/event/event_loop.h"

struct evhttp;
struct evhttp_request;

namespace kg::event {

class StatusServer {
 public:
  struct Request {
    std::string_view authorization;  // the field's value, "" if absent; valid during the call
    std::string body;
    std::string below;  // of a path that ends with '/': what followed it, %XX decoded
  };
  struct Answer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
  };
  using Page = std::function<Answer()>;
  using Call = std::function<Answer(const Request&)>;
  enum class Verb : uint8_t { kGet, kPost, kDelete };

  explicit StatusServer(EventLoop& loop);
  ~StatusServer();
  void add_page(const std::string& path, Page page);  // GET and HEAD
  // A path that ends with '/' is that of all paths below it.
  void add_call(Verb verb, const std::string& path, Call call);
  Result<uint16_t> listen(const SocketAddress& address);  // the bound port

 private:
  static void request_cb(evhttp_request* request, void* self) noexcept;
  using Calls = std::map<std::string, std::map<Verb, Call>>;
  Answer answer_to(evhttp_request* request) const;
  Calls::const_iterator find(const std::string& path) const;
  static void send(evhttp_request* request, const Answer& answer);
  struct HttpFree {
    void operator()(evhttp* handle) const noexcept;
  };
  std::unique_ptr<evhttp, HttpFree> http_;
  uint16_t allowed_methods_;  // of evhttp
  Calls calls_;
};

}  // namespace kg::event
