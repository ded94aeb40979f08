// Driver: libcurl's multi interface on an event loop: its sockets, its timer, its endings.
//
// Owner:  the Fetcher, or another with a loop of its own. Thread: the loop's. Names are resolved by
//         threads of libcurl.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <unordered_map>

#include "proxy/base/owned.h"
#include "proxy/event/watcher.h"
#include "proxy/fetch/request.h"

namespace kg::fetch {

class Transfer;

class Driver {
 public:
  using Ended = std::function<void(Transfer&, Answer)>;
  Driver(event::EventLoop& loop, Ended ended);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // `ended` comes in a later turn, once; the transfer may then be destroyed.
  void add(Transfer& transfer);
  // Before its end: no `ended` comes. Not within a Sink.
  void remove(Transfer& transfer);

 private:
  static int socket_cb(CURL* easy, curl_socket_t fd, int what, void* self, void* known) noexcept;
  static int timer_cb(CURLM* multi, long milliseconds, void* self) noexcept;
  void watch(int fd, int what);
  void act(int fd, int ready);

  event::EventLoop& loop_;
  Ended ended_;
  std::unordered_map<int, std::unique_ptr<event::LevelWatcher>> sockets_;
  event::Timer timer_;
  Owned<CURLM, curl_multi_cleanup> multi_;  // dies first: it calls back about sockets
};

}  // namespace kg::fetch
