// KernelClient: the life of one real kernel, by the kernel protocol of Jupyter (legacy text
// framing: one JSON object per message with a `channel` key, domain G33).
//
// start() -> connect() -> run_cell() ... -> remove(). remove() is due whenever start() succeeded.
// Thread: one at a time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "bench/load/connection.h"
#include "bench/load/outcome.h"
#include "bench/load/target.h"
#include "bench/load/websocket_client.h"

namespace kg::bench {

struct KernelWish {
  std::string kernel_name = "python3";
  std::string username =
      "kernelgate-load";  // gateways refuse a kernel without one (KERNEL_USERNAME)
  std::chrono::milliseconds timeout{60'000};  // of each step
};

struct Cell {
  std::string code = "1+1";
  std::string expected = "2";  // text/plain of the execute_result; "" accepts anything
};

class KernelClient {
 public:
  // `target`, `wish` and `stop` are borrowed.
  KernelClient(const Target& target, const KernelWish& wish, const Stop& stop);

  // POST /api/kernels. Not cut short by `stop`: a gateway finishes a launch whose client has gone,
  // and nobody would know the kernel to delete.
  Outcome<void> start();
  // Opens /api/kernels/{id}/channels; a gateway answers once the kernel is up (domain J30).
  Outcome<void> connect();
  // Executes and waits for both the reply and the idle status of this very request, which come in
  // either order. Failure kinds: "error reply", "wrong result", and those of the connection.
  Outcome<void> run_cell(const Cell& cell);
  // Closes the WebSocket and deletes the kernel, whatever `stop` says. Does nothing without one.
  Outcome<void> remove();

  const std::string& id() const noexcept { return id_; }  // "" unless a kernel is there

 private:
  Deadline deadline() const { return Clock::now() + wish_.timeout; }

  const Target& target_;
  const KernelWish& wish_;
  const Stop& stop_;
  std::string id_;
  std::string session_id_;  // of the kernel messages, one per connection
  std::unique_ptr<WebsocketClient> socket_;
};

}  // namespace kg::bench
