#include "proxy/event/status_server.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <cerrno>

#include "proxy/base/assert.h"

namespace kg::event {
namespace {
constexpr ev_ssize_t kHeadBytesMax = ev_ssize_t{16} * 1024;
constexpr ev_ssize_t kBodyBytesMax = ev_ssize_t{8} * 1024;
constexpr int kIdleSeconds = 60;
}  // namespace

void StatusServer::HttpFree::operator()(evhttp* handle) const noexcept { evhttp_free(handle); }

StatusServer::StatusServer(EventLoop& loop) : http_(evhttp_new(loop.base())) {
  KG_ASSERT(http_ != nullptr);
  evhttp_set_allowed_methods(http_.get(), EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
  evhttp_set_max_headers_size(http_.get(), kHeadBytesMax);
  evhttp_set_max_body_size(http_.get(), kBodyBytesMax);
  evhttp_set_timeout(http_.get(), kIdleSeconds);
  evhttp_set_gencb(http_.get(), &StatusServer::request_cb, this);
}

StatusServer::~StatusServer() = default;

Result<uint16_t> StatusServer::listen(const SocketAddress& address) {
  evhttp_bound_socket* bound =
      evhttp_bind_socket_with_handle(http_.get(), address.host_text().c_str(), address.port());
  if (bound == nullptr) return Error{ErrorCode::kConfiguration, "bind", errno};
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(evhttp_bound_socket_get_fd(bound), reinterpret_cast<sockaddr*>(&storage), &size);
  return SocketAddress(storage, size).port();
}

void StatusServer::request_cb(evhttp_request* request, void* self) noexcept {
  static_cast<StatusServer*>(self)->answer(request);
}

void StatusServer::answer(evhttp_request* request) {
  const evhttp_uri* uri = evhttp_request_get_evhttp_uri(request);
  const char* path = uri == nullptr ? nullptr : evhttp_uri_get_path(uri);
  const auto page = path == nullptr ? pages_.end() : pages_.find(path);
  Answer answer{404, "application/json",
                "{\"reason\":\"Not Found\",\"message\":\"This address has /healthz, /readyz and "
                "/metrics.\"}\n"};
  if (page != pages_.end()) answer = page->second();
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", answer.content_type.c_str());
  evhttp_add_header(headers, "Cache-Control", "no-store");
  evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
  // libevent would send the body of an answer to HEAD.
  evhttp_add_header(headers, "Content-Length", std::to_string(answer.body.size()).c_str());
  if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) {
    evbuffer_add(evhttp_request_get_output_buffer(request), answer.body.data(), answer.body.size());
  }
  evhttp_send_reply(request, answer.status, answer.status == 200 ? "OK" : "Not OK", nullptr);
}

}  // namespace kg::event
