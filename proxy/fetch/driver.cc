#include "proxy/fetch/driver.h"

#include <utility>

#include "proxy/base/assert.h"
#include "proxy/fetch/transfer.h"

namespace kg::fetch {
namespace {

CURLM* make_multi() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  KG_ASSERT(ready == CURLE_OK);
  return curl_multi_init();
}

}  // namespace

Driver::Driver(event::EventLoop& loop, Ended ended)
    : loop_(loop),
      ended_(std::move(ended)),
      timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }),
      multi_(make_multi()) {
  KG_ASSERT(multi_ != nullptr);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &Driver::socket_cb);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &Driver::timer_cb);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
}

Driver::~Driver() = default;

void Driver::add(Transfer& transfer) {
  KG_ASSERT(curl_multi_add_handle(multi_.get(), transfer.handle()) == CURLM_OK);
}

void Driver::remove(Transfer& transfer) {
  KG_ASSERT(curl_multi_remove_handle(multi_.get(), transfer.handle()) == CURLM_OK);
}

int Driver::socket_cb(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept {
  static_cast<Driver*>(self)->watch(fd, what);
  return 0;
}

// libcurl may be on the stack: the timer only takes note.
int Driver::timer_cb(CURLM*, long milliseconds, void* self) noexcept {
  auto* driver = static_cast<Driver*>(self);
  if (milliseconds < 0) {
    driver->timer_.disarm();
  } else {
    driver->timer_.arm_ms(static_cast<uint64_t>(milliseconds));
  }
  return 0;
}

void Driver::watch(int fd, int what) {
  std::unique_ptr<event::LevelWatcher>& watcher = sockets_[fd];
  if (what == CURL_POLL_REMOVE) {
    if (watcher != nullptr) watcher->close();
    loop_.defer_delete(std::move(watcher));  // it may be the one that called
    sockets_.erase(fd);
    return;
  }
  if (watcher == nullptr) {
    watcher = std::make_unique<event::LevelWatcher>(loop_, fd, [this, fd](bool in, bool out) {
      act(fd, (in ? CURL_CSELECT_IN : 0) | (out ? CURL_CSELECT_OUT : 0));
    });
  }
  watcher->want((what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
}

void Driver::act(int fd, int ready) {
  int running = 0;
  KG_ASSERT(curl_multi_socket_action(multi_.get(), fd, ready, &running) == CURLM_OK);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    Transfer& transfer = Transfer::of(message->easy_handle);
    const CURLcode code = message->data.result;
    remove(transfer);  // ends the message's life
    ended_(transfer, transfer.take_answer(code));
  }
}

}  // namespace kg::fetch
