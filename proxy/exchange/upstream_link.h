// UpstreamLink: the way to the gateway of one open WebSocket, over as many connections as it takes.
//
//   Standing <--join()-- Cut        Standing: all goes to the connection. Cut: there is none, what
//       \-----cut()--------^        the client says waits. Behind a join() what waited goes first,
//                                   at the pace of the connection.
//
// To those who write and pause it is a stream; what waits counts as unsent, so that the client is
// not read beyond kPendingBytesHigh of it. Our own frames are none of the client's messages: they
// are never said again, and while it is cut they are dropped.
// Owner:  the Relay. Thread: the worker's.
// Limits: held_messages.h; with keep() only, else nothing is ever copied.
#pragma once

#include <string_view>

#include "proxy/event/stream.h"
#include "proxy/exchange/held_messages.h"

namespace kg::exchange {

class UpstreamLink final : public event::Stream {
 public:
  explicit UpstreamLink(event::Stream& stream) : stream_(&stream) {}

  // From now on cut() may succeed.
  void keep() noexcept { keeps_ = true; }
  // Frames of the client; `open`: so many of the newest bytes, these among them, belong to a
  // message that goes on.
  void pass(std::string_view bytes, uint64_t open);
  // The connection is lost. False if what it did not take cannot be said again.
  bool cut();
  void join(event::Stream& stream);
  // The connection takes bytes again.
  void drained();
  // Lets go of copies that nobody needs any more.
  void tidy() noexcept;
  size_t waiting() const noexcept { return held_.waiting(); }

  void write(std::string_view bytes) override;  // our own, between two frames of the client
  size_t unsent() const noexcept override;
  void pause(event::Pause reason) noexcept override;
  void resume(event::Pause reason) noexcept override;
  void finish() override;
  void close() noexcept override;
  uint64_t last_progress_us() const noexcept override;
  event::Delivery delivery() const noexcept override;

 private:
  event::Stream* stream_;  // null: cut
  HeldMessages held_;
  bool keeps_ = false;
  bool finishes_ = false;  // once nothing waits any more
};

}  // namespace kg::exchange
