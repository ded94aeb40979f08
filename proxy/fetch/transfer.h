// Transfer: one HTTP exchange as libcurl sees it: options in, an Answer out.
//
// Owner:  a job of the Fetcher, or whoever has a Driver; borrows its Request. Thread: the Driver's.
// Limits: time is the owner's; the answer's body as the request says, its head kFetchHeadBytesMax.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string_view>

#include "proxy/base/owned.h"
#include "proxy/fetch/request.h"

namespace kg::fetch {

// Wipes before it frees: header lines hold credentials.
struct LinesFree {
  void operator()(curl_slist* lines) const noexcept;
};

// Takes the body of a 200 piece by piece, for an answer that has no end of its own. libcurl is on
// the stack: the methods take note, and touch neither transfer nor driver.
class Sink {
 public:
  virtual void on_head() = 0;
  virtual void on_bytes(std::string_view bytes) = 0;

 protected:
  ~Sink() = default;
};

class Transfer {
 public:
  // With a sink the body of a 200 goes there, and no limit counts it.
  explicit Transfer(const Request& request, Sink* sink = nullptr);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* handle() const noexcept { return easy_.get(); }
  static Transfer& of(CURL* handle) noexcept;
  // Once, after libcurl has ended with `code`.
  Answer take_answer(CURLcode code);

 private:
  template <class Value>
  void set(CURLoption option, Value value);
  void set_security();
  void set_request();
  void set_body(const char* method);
  bool streams() const noexcept;
  void add_line(const char* line);
  void take_wanted(Answer& answer);
  static curl_socket_t open_cb(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;
  static size_t head_cb(char* bytes, size_t one, size_t size, void* self) noexcept;
  static size_t body_cb(char* bytes, size_t one, size_t size, void* self) noexcept;

  const Request& request_;
  Sink* sink_;
  Owned<CURL, curl_easy_cleanup> easy_;
  std::unique_ptr<curl_slist, LinesFree> lines_;
  std::unique_ptr<curl_slist, LinesFree> connect_to_;
  std::array<char, CURL_ERROR_SIZE> problem_{};
  std::string body_;
  size_t head_bytes_ = 0;
  bool too_large_ = false;
  bool inward_ = false;  // an address was refused: Trust::outward
  bool enough_ = false;  // the body began, and nobody wants it
};

}  // namespace kg::fetch
