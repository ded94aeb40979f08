// A gateway that restarted with nobody noticing, and shares its kernels' records: what it refused
// because its memory is new is asked once more, after it has loaded the kernel.
//
//   operation  | a gateway without the kernel in its memory (domain J22, 0.12)
//   ---------- | ------------------------------------------------------------------
//   interrupt  | does nothing, and says 404
//   restart    | does nothing, and says 500 with a traceback (gateway_error.h)
//   WebSocket  | loads it; before 3.3.0 it did nothing, and said 404 (J21)
//   GET        | loads it
//   DELETE     | loads it and ends it. 404: it has ended, which is what was asked for
#include "proxy/base/assert.h"
#include "proxy/base/log.h"
#include "proxy/exchange/client_connection.h"
#include "proxy/exchange/exchange.h"
#include "proxy/kernel/gateway_error.h"

namespace kg::exchange {

using kernel::Operation;

// Whether the held answer says that the gateway did nothing, and would have if it had the kernel.
bool Exchange::was_not_done(bool whole) const {
  if (revived_ || !endpoint_->endpoint->replication || forwards() || !body_.done()) return false;
  switch (request_.operation) {
    case Operation::kInterruptKernel:
    case Operation::kConnectKernel:
      return record_.status == 404;
    case Operation::kRestartKernel:
      return record_.status == 404 || (record_.status == 500 && whole && !coded_answer_ &&
                                       kernel::says_unknown_kernel(held_answer_));
    default:
      return false;
  }
}

// The kernel's holder was asked, and is asked again: no other one hears of it.
void Exchange::revive(bool whole) {
  if (!whole) held_answer_.clear();
  release_upstream(whole);
  phase_ = Phase::kReviving;
  client_.clear_deadline();  // a revival has its own
  const Result<void> asked = pod_->revivals.ask(request_.kernel_id, *this);
  if (!asked) fail(asked.error());
}

void Exchange::on_revival(const Result<void>& there) {
  KG_ASSERT(phase_ == Phase::kReviving);
  revived_ = true;
  phase_ = Phase::kHolding;
  if (!there && there.error().code == ErrorCode::kNoKernel) return send_error(true);
  // Otherwise nobody knows whether it has ended: a 404 would make its client throw it away.
  if (!there) return fail(there.error());
  held_head_.clear();
  held_answer_.clear();
  endpoint_->counters.retries.add();
  phase_ = Phase::kReceived;
  go_up();
}

// It had the kernel's record, and not the kernel: whatever else it held has to be loaded as well.
void Exchange::note_lost_memory() {
  if (pod_->pod.facts->note_restart_since(pod_restarts_)) {
    log::info("upstream", "pod has restarted endpoint={} pod={} reason=\"it had lost a kernel\"",
              endpoint_->endpoint->id, pod_->pod.name);
  }
  ++pod_restarts_;  // what it answers now is of after that
}

}  // namespace kg::exchange
