// SessionControl: what the control thread does to sessions while they live: revocations from the
// file and from operators, brought to every worker, and the admin interface that they call.
//
// Owner:  the Server. Thread: control. Blocks on the file, and for a call on the workers, for at
//         most kWorkersAnswerMs: the caller may rely on what it hears.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "proxy/server/admin.h"
#include "proxy/server/process_logs.h"
#include "proxy/server/revocation_keeper.h"
#include "proxy/server/revocation_outbox.h"
#include "proxy/server/worker.h"

namespace kg::server {

class SessionControl final : private AdminActions {
 public:
  SessionControl(event::EventLoop& loop, const std::vector<Worker*>& workers, ProcessLogs& logs)
      : loop_(loop), workers_(workers), logs_(logs), apply_soon_(loop, [this] { apply_heard(); }) {}

  // The admin interface, if there is one; it knows no token before start().
  Result<uint16_t> listen(const event::SocketAddress& address, PodActions& pods, FeedActions& feed);
  // Before the workers run.
  void start(const config::Config& config, std::vector<auth::Revocation> revocations,
             Secret admin_token);
  // A configuration was applied, and these were read for it.
  void adopt(const config::Config& config, std::vector<auth::Revocation> revocations,
             Secret admin_token);
  void look();  // every kFileLookMs
  void add_facts(metrics::ProcessFacts& facts) const { keeper_.add_facts(facts); }

  // Revocations of other replicas: what an operator says there counts here, and the other way
  // round. Before start(), if there are any.
  void use_replicas(Replicas& replicas) { replicas_ = &replicas; }
  void hear(const routing::RevocationNotice& notice);
  // All that the feed has now, in this term.
  void set_announced(std::vector<auth::Revocation> entries, uint64_t term);

 private:
  Revoked revoke(auth::Revocation revocation) override;
  TakenBack unrevoke(const auth::Revocation& asked) override;
  std::string revocations_json() const override;
  std::optional<SessionCounts> open_sessions() override;
  std::optional<KernelSights> open_kernels() override;
  void set_token(Secret token);
  std::optional<size_t> publish();  // how many WebSockets it ended
  void apply_heard();
  template <class Part, class Ask>
  std::optional<std::vector<Part>> ask_workers(Ask&& ask);

  event::EventLoop& loop_;
  const std::vector<Worker*>& workers_;
  ProcessLogs& logs_;
  RevocationKeeper keeper_;
  std::unique_ptr<Admin> admin_;
  Replicas* replicas_ = nullptr;
  RevocationOutbox outbox_;
  // Of what others revoke: it may come by the hundred.
  event::Timer apply_soon_;
  bool heard_waits_ = false;
  uint64_t applied_us_ = 0;
  uint64_t no_room_again_us_ = 0;
};

// The token of `admin.token_file`: one line of 16 to 1024 printable characters. `problem` is "" if
// it is usable.
Secret read_admin_token(const std::string& file, std::string& problem);

}  // namespace kg::server
