// RevocationStore: what is revoked in the whole fleet or in a scope of it, kept in a Secret so that
// it outlives every controller and proxy. Replicas say what an operator revoked at one of them; the
// leader writes it down; every controller reads it from the Secret and publishes the same lists.
//
// What counts is entries + missing + notices that wait, and the leader writes exactly that:
//
//   the watch brings          | entries become | what they lack of those before
//   a text that follows       | its own        | is taken back (revocation_text.h says which does)
//   any other: an older one   | its own        | is missing: it counts on and is written again
//   none: deleted             | none           | the same
//   one that cannot be read   | as they were   | nothing; nor is it written over, it may say more
//
//   a notice                  | waits until the watch has brought a Secret that says the same: the
//                             | watch may be behind our own writes, and takes nothing back late
//   what is missing           | ends when a Secret has it, when it is taken back by a notice, or by
//                             | itself
//
// So a text takes back only what was in the one before it. All controllers see the same texts: what
// one of them missed by way of notices it learns from the next text. A standby writes too what has
// been missing for kStandbyWaitsMs: a leader that started behind the loss does not know of it. Out
// of reach is what was lost before any of those that run had read it.
//
// Owner:  the controller. Thread: the loop's. Limits: limits::kRevocationsMax entries, as many that
//         are missing, and as many notices that wait; of one namespace
//         auth::kRevocationsPerNamespaceMax, and of all namespaces kScopedBytesMax in the Secret,
//         so that what counts everywhere has room; entries end by themselves. Of one namespace
//         kScopedNoticesPerSecond: what is beyond is not heard, and proxies say it again until
//         the lists show it. A write in kRevocationWriteMs.
// Errors: what could not be written is tried again every kRevocationRetryMs, and is in memory
//         meanwhile. Each kind is logged once in kRevocationLogMs.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/event/watcher.h"
#include "routing/controller/kube/client.h"
#include "routing/controller/kube/reflector.h"
#include "routing/controller/run/revocation_text.h"
#include "routing/feed/facts.h"
#include "routing/revocation_notice.h"

namespace kg::controller {

inline constexpr uint32_t kRevocationRetryMs = 1'000;  // and behind a write that puts back
inline constexpr uint32_t kRevocationWriteMs = 200;    // from one write to the next
inline constexpr uint32_t kStandbyWaitsMs = 2'000;     // longer than any pause of the leader's
inline constexpr uint32_t kRevocationLogMs = 10'000;
inline constexpr size_t kRevocationBytesMax = size_t{900} * 1024;  // a Secret has 1 MiB
inline constexpr size_t kScopedBytesMax = size_t{450} * 1024;
// From one publication to the next: each may be the whole list for every proxy.
inline constexpr uint32_t kRevocationPublishMs = 50;
// What may be said for one namespace, by whoever may: all of its room at once, and what an operator
// types behind that.
inline constexpr uint32_t kScopedNoticesPerSecond = 2;
inline constexpr uint32_t kScopedNoticesAtOnce = auth::kRevocationsPerNamespaceMax;
inline constexpr size_t kNoticeGatesMax = 4'096;  // namespaces that are remembered for it
inline constexpr const char* kRevocationsSecret = "kernelgate-revocations";

class RevocationStore final : private kube::Handler {
 public:
  // `on_change` hears that entries() are others now, at once or after kRevocationPublishMs; the
  // first time when they are known.
  RevocationStore(event::EventLoop& loop, kube::Client& client, std::string namespace_name,
                  std::function<void()> on_change);

  void start() { reflector_.start(); }
  // Of a replica; every controller hears it, and whoever leads writes it.
  void hear(routing::RevocationNotice notice);
  void set_leading(bool leads);

  bool synced() const noexcept { return synced_ && readable_; }
  // What is wrong with its list or watch, or with what it says, at the moment, "" if nothing is.
  std::string_view problem() const noexcept {
    return broken_.empty() ? reflector_.problem() : std::string_view(broken_);
  }
  // That count at this time, seconds since the epoch.
  std::vector<auth::Revocation> entries(int64_t now) const;

 private:
  // True once in kRevocationLogMs.
  class Seldom {
   public:
    bool now() noexcept;

   private:
    uint64_t again_us_ = 0;
  };

  bool on_upsert(const nlohmann::json& object) override;
  void on_remove(const std::string& namespace_name, const std::string& name) override;
  void on_synced() override;
  void take(RevocationText text);
  void keep_missing(const std::vector<auth::Revocation>& left);
  void look_at_stamp(const RevocationText& text, bool follows);
  void after_news();
  void say_broken();
  void count_all();
  void forget_ended();
  void settle();
  void try_again();
  bool is_due() const { return !waiting_.empty() || !missing_.empty() || unstamped_; }
  bool takes(const routing::RevocationNotice& notice);
  bool has_room(const auth::Revocation& revocation) const;
  bool paces(const std::string& scope);
  void changed();
  uint64_t write_at_us() const noexcept;
  void write();
  void send(std::string text);
  void pause_ms(uint32_t milliseconds);
  void on_written(const kube::Reply& reply);
  std::string path() const;

  event::EventLoop& loop_;
  kube::Client& client_;
  const std::string namespace_;
  std::function<void()> on_change_;
  kube::Reflector reflector_;
  event::Timer retry_;  // what the watch does not bring
  event::Timer pause_;  // of writes
  event::Timer pace_;   // of on_change_
  bool pacing_ = false;
  bool change_waits_ = false;
  std::unique_ptr<kube::Call> call_;
  std::vector<auth::Revocation> entries_;  // as the Secret has them
  std::vector<auth::Revocation> missing_;  // it had them, and nobody took them back
  std::vector<auth::Revocation> current_;  // all that counts
  RevocationStamp stamp_;                  // of the Secret, as the watch had it last
  RevocationStamp newest_;                 // of its lineage, our own writes included
  std::string version_;                    // resourceVersion of the Secret; "": there is none
  std::string seen_;                       // the same, as the watch had it last
  std::string broken_;                     // why its text cannot be read
  std::deque<routing::RevocationNotice> waiting_;
  std::map<std::string, feed::RateGate> gates_;  // by namespace
  uint64_t missing_since_us_ = 0;
  uint64_t write_again_us_ = 0;
  bool unwritten_ = false;  // something that is due is not in what was last written
  bool unstamped_ = false;  // somebody edited the Secret: its stamp does not say so yet
  bool leads_ = false;
  bool synced_ = false;
  bool readable_ = false;  // the Secret was read, or there is none
  Seldom say_broken_;
  Seldom say_missing_;
  Seldom say_refused_;
  Seldom say_unwritten_;
};

}  // namespace kg::controller
