// LaunchGate: the kernel starts of one endpoint, of all workers: which may run now, who waits for a
// turn, and which are one and the same start, asked for again.
//
//   ask() --> Queued --> Running --> answered(), lost() or leave()
//     |                     \--> unclaimed(): Ending --> leave()
//     \--> Joined (to one with the same key) --> its answer, or its turn if it left without one
//
// A gateway that is given an id a second time starts two kernels under it while the first one
// starts, and fails when it runs (domain J14): so of the starts with one key only one goes up at a
// time. A start keeps its turn until somebody says how it ended, whatever became of its client.
// Pure: what has to be told goes into `words`; the LaunchDesk tells it. Owner: the LaunchDesk's
// home seat. Thread: the home worker's.
// Limits: Bounds; kLostLaunchesMax keys of starts whose end nobody knows.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/exchange/fair_queue.h"
#include "proxy/exchange/launch_answer.h"

namespace kg::exchange {

class LaunchGate {
 public:
  using Ticket = uint64_t;  // names one asker; unique in the process
  struct Bounds {
    uint32_t running_max = 0;
    uint32_t waiting_max = 0;  // queued and joined
  };
  struct Asker {
    Ticket ticket = 0;
    uint64_t principal = 0;
    std::string key;  // of the client's own id and its user; "": like no other start
  };
  struct Word {
    enum class Kind : uint8_t {
      kTurn,      // start now
      kNewTurn,   // the same, under an id that was never used: an earlier one may still come up
      kFull,      // too many wait; forgotten
      kAnswered,  // by `answer`; forgotten
      kKept,      // unclaimed(): somebody took the answer; forgotten
      kUnwanted   // unclaimed(): nobody did, the kernel has to go
    };
    Ticket ticket;
    Kind kind;
    LaunchAnswerRef answer;
  };
  using Words = std::vector<Word>;

  void ask(Asker asker, const Bounds& bounds, uint64_t now_us, Words& words);
  // Of a start that runs. Its client got `answer`, and so do those who joined.
  void answered(Ticket ticket, const LaunchAnswerRef& answer, Words& words);
  // Its client has left; a kernel came of it. kKept or kUnwanted.
  void unclaimed(Ticket ticket, const LaunchAnswerRef& answer, Words& words);
  // Nobody knows what comes of it. Until then its key gets new ids.
  void lost(Ticket ticket, const LaunchAnswerRef& answer, uint64_t until_us, Words& words);
  // Of any: without an answer, so that who joined comes to a turn of its own.
  void leave(Ticket ticket, Words& words);

  uint32_t running() const noexcept { return running_; }
  size_t waiting() const noexcept { return queue_.size() + joined_.size(); }
  bool idle() const noexcept { return starts_.empty() && lost_.empty(); }

 private:
  enum class State : uint8_t { kQueued, kRunning, kEnding };
  struct Start {
    uint64_t principal = 0;
    std::string key;
    State state = State::kQueued;
    std::vector<Ticket> joined;
  };
  using Starts = std::unordered_map<Ticket, Start>;

  void begin(Ticket ticket, Start& start, Words& words);
  void end(Starts::iterator start, const LaunchAnswerRef& answer, Words& words);
  void succeed(Starts::iterator start, Words& words);
  void leave_joined(Ticket ticket);
  void serve(Words& words);
  bool is_lost(const std::string& key, uint64_t now_us);
  void note_lost(std::string key, uint64_t until_us);

  Bounds bounds_;
  Starts starts_;
  std::unordered_map<std::string, Ticket> keys_;
  std::unordered_map<Ticket, Ticket> joined_;       // to which start
  std::unordered_map<std::string, uint64_t> lost_;  // until when
  uint64_t now_us_ = 0;                             // of the last ask()
  FairQueue queue_;
  uint32_t running_ = 0;  // Ending ones too: the gateway still works for them
};

}  // namespace kg::exchange
