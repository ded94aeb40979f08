// Parts: a content as messages, each made when it is wanted first and shared by those who want it
// soon after: proxies that start together.
//
// Owner:  whoever sends them, together. Thread: one.
// Limits: the last kPartsInFlight messages are kept.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "routing/feed/message.h"

namespace kg::feed {

class Parts {
 public:
  explicit Parts(Content content) : content_(std::move(content)) {}

  const Content& content() const noexcept { return content_; }
  // Asked for from 0 on, without a gap, by each who asks.
  std::shared_ptr<const std::string> part(size_t number);
  bool is_last(size_t number) const noexcept { return number + 1 == starts_.size() && last_known_; }
  // Its memory goes; whoever was being sent it begins with another one.
  void retire() noexcept;
  bool retired() const noexcept { return retired_; }

 private:
  Content content_;
  std::vector<size_t> starts_{0};  // the first change of each part that is known
  bool last_known_ = false;        // the last of them is the last of all
  bool retired_ = false;
  std::deque<std::pair<size_t, std::shared_ptr<const std::string>>> made_;
};

}  // namespace kg::feed
