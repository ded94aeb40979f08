#include "proxy/exchange/notebook_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/base/limits.h"

namespace kg::exchange {

using kernel::NotebookRequest;
using kernel::NotebookSession;

NotebookSession NotebookTable::session(std::string_view endpoint, std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find({endpoint, id});
  return found != by_id_.end() ? found->second->session : kernel::unnamed_session(id);
}

std::vector<NotebookSession> NotebookTable::of_kernel(std::string_view endpoint,
                                                      std::string_view kernel_id) const {
  const std::lock_guard lock(mutex_);
  std::vector<NotebookSession> out;
  const auto [first, last] = by_kernel_.equal_range({endpoint, kernel_id});
  const bool taken =
      by_id_.contains({endpoint, kernel_id}) ||
      std::any_of(first, last, [](const auto& item) { return item.second->made_for; });
  if (!taken) out.push_back(kernel::unnamed_session(kernel_id));
  std::transform(first, last, std::back_inserter(out),
                 [](const auto& item) { return item.second->session; });
  return out;
}

NotebookTable::Change NotebookTable::change(std::string_view endpoint, std::string_view id,
                                            const NewKernel& kernel, const NotebookRequest& said) {
  const std::lock_guard lock(mutex_);
  Entry entry{std::string(endpoint), kernel::unnamed_session(id), ++serial_, false};
  const auto known = by_id_.find({endpoint, id});
  if (known != by_id_.end()) {
    entry.session = known->second->session;
    entry.made_for = known->second->made_for;
    erase(known->second);
  }
  if (!kernel.id.empty()) {
    entry.session.kernel_id = kernel.id;
    entry.made_for = kernel.made_for;
  }
  if (said.path) entry.session.path = *said.path;
  if (said.name) entry.session.name = *said.name;
  if (said.type) entry.session.type = *said.type;
  Change out{entry.session, make_room(entry)};
  const Place place = entries_.insert(entries_.end(), std::move(entry));
  by_id_.emplace(Key{place->endpoint, place->session.id}, place);
  by_kernel_.emplace(Key{place->endpoint, place->session.kernel_id}, place);
  return out;
}

// Whether one had to go for it.
bool NotebookTable::make_room(const Entry& entry) {
  const auto [first, last] = by_kernel_.equal_range({entry.endpoint, entry.session.kernel_id});
  if (static_cast<size_t>(std::distance(first, last)) >= limits::kNotebooksPerKernelMax) {
    const auto goes_before = [](const auto& one, const auto& other) {
      const auto rank = [](const Entry& of) {
        return std::pair(of.session.id == of.session.kernel_id, of.serial);
      };
      return rank(*one.second) < rank(*other.second);
    };
    erase(std::min_element(first, last, goes_before)->second);
    return true;
  }
  if (entries_.size() < limits::kNotebooksMax) return false;
  erase(entries_.begin());
  return true;
}

void NotebookTable::forget_kernel(std::string_view endpoint, std::string_view kernel_id) {
  const std::lock_guard lock(mutex_);
  const Key key{endpoint, kernel_id};
  for (auto found = by_kernel_.find(key); found != by_kernel_.end(); found = by_kernel_.find(key)) {
    erase(found->second);
  }
}

size_t NotebookTable::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void NotebookTable::erase(Place place) {
  by_id_.erase(Key{place->endpoint, place->session.id});
  const auto [first, last] = by_kernel_.equal_range({place->endpoint, place->session.kernel_id});
  by_kernel_.erase(
      std::find_if(first, last, [&](const auto& item) { return item.second == place; }));
  entries_.erase(place);
}

}  // namespace kg::exchange
