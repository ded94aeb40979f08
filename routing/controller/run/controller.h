// Controller: watches a cluster, compiles its Ingress objects, and publishes what they become.
//
// Every controller watches and compiles, also one that waits; only the leader publishes, and none
// before every first list is complete. A change is published at once, together with those that came
// in the same turn of the loop.
// Owner:  the command. Thread: the loop's, all of it. Cost of a change: that of the objects that it
//         concerns. Errors: of an object, findings; of the API server, retries: what was published
//         stays.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/event/event_loop.h"
#include "proxy/event/watcher.h"
#include "routing/controller/ingress/compiler.h"
#include "routing/controller/kube/client.h"
#include "routing/controller/run/election.h"
#include "routing/controller/run/event_writer.h"
#include "routing/controller/run/exporter.h"
#include "routing/controller/run/gate.h"
#include "routing/controller/run/memory_store.h"
#include "routing/controller/run/revocation_store.h"
#include "routing/controller/run/sources.h"
#include "routing/controller/run/status_writer.h"
#include "routing/feed/publisher.h"

namespace kg::controller {

// Between looks at namespaces that had more objects than are kept, for one that has room again:
// what it is offered then is a whole list.
inline constexpr uint32_t kOfferAgainMs = 600'000;

// Compiled, and items tried, in one turn of the loop: some 50 ms of it. What concerns more, as the
// first lists and an edit of a class do, takes several turns, between which the Lease is renewed,
// proxies are heard and probes answered; it is published behind the last one.
inline constexpr size_t kTurnIngresses = 64;

struct Options {
  std::vector<std::string> namespaces;  // empty: all of the cluster
  ingress::Settings settings;
  Election::Options election;
  StatusWriter::Options status;
  feed::Publisher::Options feed;
};

class Controller final : public event::Task, public feed::PublisherHandler, SourceHandler {
 public:
  Controller(event::EventLoop& loop, kube::Client& client, Options options);
  ~Controller() override;

  std::string start();  // "" or what is wrong
  // Hands the leadership over; `done` once nothing holds up the end of the process.
  void stop(std::function<void()> done) { election_.release(std::move(done)); }

  bool synced() const noexcept {
    return sources_.synced() && revocations_.synced() && memory_.synced();
  }
  // What the first lists wait for, as far as something is wrong.
  std::vector<ListProblem> waiting() const;
  const Election& election() const noexcept { return election_; }
  const feed::Publisher& publisher() const noexcept { return publisher_; }
  const ingress::Compiler& compiler() const noexcept { return compiler_; }
  ControllerFacts facts() const;

 private:
  void run_task() override;
  bool on_object(ingress::Kind kind, const nlohmann::json& object) override;
  void on_gone(const ingress::ObjectRef& ref) override;
  void on_synced() override;
  void forget_status(const nlohmann::json& object);
  void note_full(ingress::Kind kind, const nlohmann::json& object);
  void offer_again();
  void on_leading(uint64_t term);
  bool take(ingress::Changes& changes);
  void settle(ingress::Changes changes);
  void publish(ingress::Changes changes);
  void note_refusals(std::vector<ingress::ObjectRef>& judged);
  // Of compilation and gate: all objects with findings, and those of one.
  std::set<ingress::ObjectRef> judged() const;
  const std::vector<ingress::Finding>& findings(const ingress::ObjectRef& ref) const;
  void publish_all();
  ingress::Changes compile();
  void begin_writing();
  void tell(const std::vector<ingress::ObjectRef>& judged);
  // The uid of an object that we may write to or write of; "" of all others.
  std::string uid_of(const ingress::ObjectRef& ref) const;
  Belonging belonging(const ingress::ObjectName& ingress) const;
  void add_judgements(ControllerFacts& facts) const;
  std::vector<feed::Item> revocation_items() const;
  void add_revocations(ingress::Changes& changes);
  void on_fact(const feed::Fact& fact) override;
  void on_refused(std::string_view proxy, feed::Version version, std::string_view reason) override;

  event::EventLoop& loop_;
  const Options options_;
  ingress::Compiler compiler_;
  Gate gate_;
  std::map<ingress::ObjectRef, std::vector<ingress::Finding>> refused_;  // whose items it holds
  feed::Publisher publisher_;
  Election election_;
  RevocationStore revocations_;
  MemoryStore memory_;
  EventWriter events_;
  StatusWriter status_;
  bool revocations_changed_ = false;
  bool recalls_ = false;  // what the memory says, before the next compilation
  std::map<std::string, std::string> published_revocations_;  // payloads of the lists, by key
  Sources sources_;
  std::map<ingress::Kind, std::set<std::string>> told_full_;  // namespaces
  event::Timer again_;
  event::Timer next_slice_;
  std::optional<ingress::Changes> in_hand_;  // compiled, and not all of its items are tried
  bool in_slices_ = false;
  uint64_t compiling_us_ = 0;  // of the slices so far
  bool publishes_ = false;     // everything was published in this term
  bool writes_ = false;        // Events and statuses, in this term
  feed::Version version_;      // the last that was published
  metrics::Histogram compile_;
  uint64_t compiled_ = 0;
};

}  // namespace kg::controller
