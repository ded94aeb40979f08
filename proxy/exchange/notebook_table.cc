#include "proxy/exchange/notebook_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/base/limits.h"

namespace kg::exchange {

using kernel::NotebookSession;

void NotebookTable::put(const NotebookSession& session) {
  const auto known = by_id_.find(session.id);
  if (known != by_id_.end()) erase(known->second);
  if (sessions_.size() >= limits::kNotebooksMax) erase(sessions_.begin());
  const Entry entry = sessions_.insert(sessions_.end(), session);
  by_id_.emplace(entry->id, entry);
  by_kernel_.emplace(entry->kernel_id, entry);
}

void NotebookTable::forget_kernel(std::string_view kernel_id) {
  for (auto found = by_kernel_.find(kernel_id); found != by_kernel_.end();
       found = by_kernel_.find(kernel_id)) {
    erase(found->second);
  }
}

void NotebookTable::erase(Entry entry) {
  by_id_.erase(entry->id);
  const auto [first, last] = by_kernel_.equal_range(entry->kernel_id);
  by_kernel_.erase(
      std::find_if(first, last, [&](const auto& item) { return item.second == entry; }));
  sessions_.erase(entry);
}

NotebookSession NotebookTable::session(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found != by_id_.end() ? *found->second : kernel::unnamed_session(id);
}

std::vector<NotebookSession> NotebookTable::of_kernel(std::string_view kernel_id) const {
  std::vector<NotebookSession> out;
  const auto [first, last] = by_kernel_.equal_range(kernel_id);
  std::transform(first, last, std::back_inserter(out),
                 [](const auto& item) { return *item.second; });
  if (out.empty()) out.push_back(kernel::unnamed_session(kernel_id));
  return out;
}

void NotebookBoard::put(NotebookTable& from, NotebookSession session) {
  from.put(session);
  const auto shared = std::make_shared<const NotebookSession>(std::move(session));
  for (NotebookTable* table : tables_) {
    if (table != &from) table->loop_.post([table, shared] { table->put(*shared); });
  }
}

void NotebookBoard::forget_kernel(NotebookTable& from, std::string_view kernel_id) {
  from.forget_kernel(kernel_id);
  for (NotebookTable* table : tables_) {
    if (table == &from) continue;
    table->loop_.post([table, id = std::string(kernel_id)] { table->forget_kernel(id); });
  }
}

}  // namespace kg::exchange
