#include "proxy/upstream/reloads.h"

#include <iterator>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/limits.h"

namespace kg::upstream {

void Reloads::want(std::vector<std::string> ids) {
  wanted_.insert(wanted_.begin(), std::make_move_iterator(ids.rbegin()),
                 std::make_move_iterator(ids.rend()));
}

Result<void> Reloads::begin() {
  KG_ASSERT(!runs() && !wanted_.empty());
  outcome_ = {};
  const Result<void> asked = ask_more();
  return runs() ? Result<void>() : asked;
}

void Reloads::cancel() noexcept {
  for (Question& question : asked_) {
    revivals_.cancel(question);
    wanted_.push_back(std::move(question.id));
  }
  asked_.clear();
}

Result<void> Reloads::ask_more() {
  while (!wanted_.empty() && asked_.size() < size_t{2} * limits::kRevivalsAtATime) {
    Question& question = asked_.emplace_back(*this, std::move(wanted_.back()));
    question.place = std::prev(asked_.end());
    wanted_.pop_back();
    const Result<void> asked = revivals_.ask(question.id, question);
    if (asked) continue;
    wanted_.push_back(std::move(question.id));
    asked_.pop_back();
    return asked;
  }
  return {};
}

void Reloads::on_answer(Question& question, const Result<void>& there) {
  if (!there && there.error().code != ErrorCode::kNoKernel) {
    outcome_ = there;
    wanted_.push_back(std::move(question.id));
  }
  asked_.erase(question.place);
  if (outcome_) {
    const Result<void> asked = ask_more();
    if (!asked) outcome_ = asked;
  }
  if (!runs()) owner_.on_reloaded(outcome_);
}

}  // namespace kg::upstream
