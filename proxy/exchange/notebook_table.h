// NotebookTable: what clients said of their notebook sessions: path, name, type, and the kernel
// where it is no longer the first one.
//
// One for the process, so that all workers say the same at once. Other replicas and the next
// process know nothing of it: there a session is called by its id, which names its kernel. Whose a
// session is, its kernel tells; whoever looks here judges that first.
// Owner:  the Server. Thread: any. A mutex, taken by session operations, and by others where an
//         endpoint has them and one of its kernels is gone.
// Limits: kNotebooksMax, and kNotebooksPerKernelMax; above them what was changed longest ago is
//         forgotten, but of a kernel's sessions not the first.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/kernel/notebook_session.h"

namespace kg::exchange {

class NotebookTable {
 public:
  struct Change {
    kernel::NotebookSession session;  // as it is now
    bool forgot = false;              // another one
  };

  // Which one a session has from now on.
  struct NewKernel {
    std::string_view id;    // "": the one that it had
    bool made_for = false;  // for this session
  };

  // What is not known has its name from its id (kernel::unnamed_session).
  kernel::NotebookSession session(std::string_view endpoint, std::string_view id) const;
  // Those that this kernel runs. Its first one is among them, known or not, unless that has another
  // kernel now, or this one was made for another session.
  std::vector<kernel::NotebookSession> of_kernel(std::string_view endpoint,
                                                 std::string_view kernel_id) const;
  // Member by member, so that two changes at a time leave both.
  Change change(std::string_view endpoint, std::string_view id, const NewKernel& kernel,
                const kernel::NotebookRequest& said);
  // It is gone, and its sessions with it.
  void forget_kernel(std::string_view endpoint, std::string_view kernel_id);
  size_t size() const;

 private:
  struct Entry {
    std::string endpoint;
    kernel::NotebookSession session;
    uint64_t serial = 0;    // of its last change
    bool made_for = false;  // NewKernel::made_for
  };
  using Place = std::list<Entry>::iterator;
  struct Key {
    std::string_view endpoint;
    std::string_view id;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const noexcept {
      const std::hash<std::string_view> hash;
      return hash(key.endpoint) * 31 + hash(key.id);
    }
  };

  void erase(Place place);
  bool make_room(const Entry& entry);

  mutable std::mutex mutex_;  // of all that follows
  std::list<Entry> entries_;  // changed last at the end
  // Keys are parts of the entries.
  std::unordered_map<Key, Place, KeyHash> by_id_;
  std::unordered_multimap<Key, Place, KeyHash> by_kernel_;
  uint64_t serial_ = 0;
};

}  // namespace kg::exchange
