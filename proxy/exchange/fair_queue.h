// FairQueue: who waits, served round robin over principals, in order of arrival for each of them:
// a user who starts twenty kernels delays the one of another user by one of them, not by twenty.
//
// Owner: the LaunchGate. Thread: its owner's. Limits: its owner's; it holds what it is given.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <unordered_map>

namespace kg::exchange {

class FairQueue {
 public:
  // `item` is not in it.
  void push(uint64_t principal, uint64_t item);
  std::optional<uint64_t> pop();
  // False if it was not in it.
  bool remove(uint64_t item);
  size_t size() const noexcept { return items_.size(); }
  bool empty() const noexcept { return items_.empty(); }

 private:
  struct Line {
    uint64_t principal;
    std::deque<uint64_t> items;
  };
  using Lines = std::list<Line>;

  void close(Lines::iterator line);

  Lines lines_;  // whose turn it is first; none is empty
  std::unordered_map<uint64_t, Lines::iterator> principals_;
  std::unordered_map<uint64_t, Lines::iterator> items_;
};

}  // namespace kg::exchange
