// Reloads: kernels that a pod has to load from the shared records before its list counts, one
// GET each (upstream/revivals.h). What the pod does not know any more has ended, and is no failure.
//
// Owner:  the pod's KernelLists. Thread: the worker's.
// Limits: twice kRevivalsAtATime questions are open, so that others' do not queue behind all of
//         these; each has the deadline of its Revivals.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "proxy/upstream/revivals.h"

namespace kg::upstream {

class ReloadsOwner {
 public:
  // Of begin(), once. After a failure what is left is wanted still.
  virtual void on_reloaded(const Result<void>& all) = 0;

 protected:
  ~ReloadsOwner() = default;
};

class Reloads {
 public:
  Reloads(Revivals& revivals, ReloadsOwner& owner) : revivals_(revivals), owner_(owner) {}
  ~Reloads() { cancel(); }
  Reloads(const Reloads&) = delete;
  Reloads& operator=(const Reloads&) = delete;

  // Beside those that are wanted already.
  void want(std::vector<std::string> ids);
  bool pending() const noexcept { return !wanted_.empty() || runs(); }
  bool runs() const noexcept { return !asked_.empty(); }
  // An error at once, or the owner is told later. Not while it runs, and only if something is
  // wanted.
  Result<void> begin();
  // The owner is not told; what was asked for is wanted still.
  void cancel() noexcept;

 private:
  struct Question final : RevivalWaiter {
    Question(Reloads& reloads, std::string kernel_id) : owner(reloads), id(std::move(kernel_id)) {}
    void on_revival(const Result<void>& there) override { owner.on_answer(*this, there); }
    Reloads& owner;
    std::string id;
    std::list<Question>::iterator place;
  };

  Result<void> ask_more();
  void on_answer(Question& question, const Result<void>& there);

  Revivals& revivals_;
  ReloadsOwner& owner_;
  std::vector<std::string> wanted_;  // the last one is next
  std::list<Question> asked_;
  Result<void> outcome_;  // of those that were asked since begin()
};

}  // namespace kg::upstream
