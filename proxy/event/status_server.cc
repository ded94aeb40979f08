#include "proxy/event/status_server.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "proxy/base/assert.h"

namespace kg::event {
namespace {

using Verb = StatusServer::Verb;
using Answer = StatusServer::Answer;

constexpr ev_ssize_t kHeadBytesMax = ev_ssize_t{16} * 1024;
constexpr ev_ssize_t kBodyBytesMax = ev_ssize_t{8} * 1024;
constexpr int kIdleSeconds = 60;

constexpr uint16_t method_of(Verb verb) noexcept {
  switch (verb) {
    case Verb::kGet:
      return EVHTTP_REQ_GET | EVHTTP_REQ_HEAD;
    case Verb::kPost:
      return EVHTTP_REQ_POST;
    case Verb::kDelete:
      return EVHTTP_REQ_DELETE;
  }
  return 0;
}

std::optional<Verb> verb_of(evhttp_request* request) noexcept {
  const auto method = static_cast<uint16_t>(evhttp_request_get_command(request));
  for (const Verb verb : {Verb::kGet, Verb::kPost, Verb::kDelete}) {
    if ((method_of(verb) & method) != 0) return verb;
  }
  return std::nullopt;
}

std::string body_of(evhttp_request* request) {
  evbuffer* buffer = evhttp_request_get_input_buffer(request);
  std::string body(evbuffer_get_length(buffer), '\0');
  evbuffer_copyout(buffer, body.data(), body.size());
  return body;
}

std::string decoded(const std::string& text) {
  size_t size = 0;
  const std::unique_ptr<char, decltype(&std::free)> out(
      evhttp_uridecode(text.c_str(), /*decode_plus=*/0, &size), &std::free);
  return out == nullptr ? "" : std::string(out.get(), size);
}

const char* phrase(int status) noexcept { return status == 200 ? "OK" : "Not OK"; }

}  // namespace

void StatusServer::HttpFree::operator()(evhttp* handle) const noexcept { evhttp_free(handle); }

StatusServer::StatusServer(EventLoop& loop)
    : http_(evhttp_new(loop.base())), allowed_methods_(method_of(Verb::kGet)) {
  KG_ASSERT(http_ != nullptr);
  evhttp_set_allowed_methods(http_.get(), allowed_methods_);
  evhttp_set_max_headers_size(http_.get(), kHeadBytesMax);
  evhttp_set_max_body_size(http_.get(), kBodyBytesMax);
  evhttp_set_timeout(http_.get(), kIdleSeconds);
  evhttp_set_gencb(http_.get(), &StatusServer::request_cb, this);
}

StatusServer::~StatusServer() = default;

void StatusServer::add_page(const std::string& path, Page page) {
  add_call(Verb::kGet, path, [page = std::move(page)](const Request&) { return page(); });
}

void StatusServer::add_call(Verb verb, const std::string& path, Call call) {
  allowed_methods_ |= method_of(verb);
  evhttp_set_allowed_methods(http_.get(), allowed_methods_);
  calls_[path][verb] = std::move(call);
}

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
  send(request, static_cast<StatusServer*>(self)->answer_to(request));
}

StatusServer::Calls::const_iterator StatusServer::find(const std::string& path) const {
  const auto exact = calls_.find(path);
  if (exact != calls_.end() || path.back() == '/') return exact;
  // From the nearest name before it back to the folder that it is in.
  auto above = calls_.upper_bound(path);
  while (above != calls_.begin()) {
    --above;
    if (above->first.back() == '/' && path.starts_with(above->first)) return above;
  }
  return calls_.end();
}

Answer StatusServer::answer_to(evhttp_request* request) const {
  const evhttp_uri* uri = evhttp_request_get_evhttp_uri(request);
  const char* sent = uri == nullptr ? nullptr : evhttp_uri_get_path(uri);
  const std::string path = sent == nullptr || *sent == '\0' ? "/" : sent;
  const auto calls = find(path);
  if (calls == calls_.end()) {
    std::string known;
    for (const auto& [name, verbs] : calls_) known += (known.empty() ? "" : ", ") + name;
    return {404, "application/json",
            "{\"reason\":\"Not Found\",\"message\":\"This address has " + known + ".\"}\n"};
  }
  const std::optional<Verb> verb = verb_of(request);
  const auto call = verb ? calls->second.find(*verb) : calls->second.end();
  if (call == calls->second.end()) {
    return {405, "application/json",
            "{\"reason\":\"Method Not Allowed\",\"message\":\"This path does not take that "
            "method.\"}\n"};
  }
  const char* authorization =
      evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");
  return call->second({authorization == nullptr ? "" : authorization, body_of(request),
                       decoded(path.substr(calls->first.size()))});
}

void StatusServer::send(evhttp_request* request, const Answer& answer) {
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", answer.content_type.c_str());
  evhttp_add_header(headers, "Cache-Control", "no-store");
  evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
  if (answer.status == 401) evhttp_add_header(headers, "WWW-Authenticate", "Bearer");
  // libevent would send the body of an answer to HEAD.
  evhttp_add_header(headers, "Content-Length", std::to_string(answer.body.size()).c_str());
  if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) {
    evbuffer_add(evhttp_request_get_output_buffer(request), answer.body.data(), answer.body.size());
  }
  evhttp_send_reply(request, answer.status, phrase(answer.status), nullptr);
}

}  // namespace kg::event
