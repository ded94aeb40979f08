// NotebookTable: what clients said of their notebook sessions: path, name, type, and the kernel if
// it is not the first one.
//
// Every worker has a whole copy, changed by NotebookBoard's posts, so that none has to ask another.
// It is not shared between processes: a session that another replica made shows its kernel's id
// for a path.
// Owner:  the WorkerContext. Thread: the worker's.
// Limits: kNotebooksMax; above it what was changed longest ago is forgotten.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/event/event_loop.h"
#include "proxy/kernel/notebook_session.h"

namespace kg::exchange {

class NotebookTable {
 public:
  explicit NotebookTable(event::EventLoop& loop) : loop_(loop) {}

  void put(const kernel::NotebookSession& session);
  // All sessions of a kernel that is deleted.
  void forget_kernel(std::string_view kernel_id);
  // By its id; an id that is not known here is that of a first kernel.
  kernel::NotebookSession session(std::string_view id) const;
  // Those that this kernel runs, its first one if none is known.
  std::vector<kernel::NotebookSession> of_kernel(std::string_view kernel_id) const;
  bool knows(std::string_view id) const { return by_id_.contains(id); }
  size_t size() const noexcept { return sessions_.size(); }

 private:
  friend class NotebookBoard;
  using Entry = std::list<kernel::NotebookSession>::iterator;
  void erase(Entry entry);

  event::EventLoop& loop_;
  std::list<kernel::NotebookSession> sessions_;  // changed last at the end
  // Keys are parts of the entries.
  std::unordered_map<std::string_view, Entry> by_id_;
  std::unordered_multimap<std::string_view, Entry> by_kernel_;
};

// The tables of all workers; filled before they run. Thread: any worker.
class NotebookBoard {
 public:
  void add(NotebookTable& table) { tables_.push_back(&table); }
  // At once in `from`, which is the caller's own, soon in the others.
  void put(NotebookTable& from, kernel::NotebookSession session);
  void forget_kernel(NotebookTable& from, std::string_view kernel_id);

 private:
  std::vector<NotebookTable*> tables_;
};

}  // namespace kg::exchange
