// EventWriter: what the compiler finds, told to the objects' owners as Events of events.k8s.io/v1:
// there a repeated Event is one with a series, and who reports it stands in fields of its own.
// `kubectl describe` shows them as it shows all others.
//
// Each finding is one Event, and its name follows from the object's uid, reason and message: said
// again, by whichever controller, it is the same one with a higher count. Standing findings are
// said again every kEventRepeatMs, because Events are forgotten after an hour; an object without
// errors that had some gets a Normal one.
//
// Owner:  the controller, which lets it write while it leads. Thread: the loop's.
// Limits: the constants; of one object kEventsAtOnce new ones and then one every kEventEachMs, the
//         rest later.
// Errors: Writes; what is refused is logged once, counted, and tried with the next repetition.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxy/event/watcher.h"
#include "routing/controller/ingress/findings.h"
#include "routing/controller/kube/writes.h"

namespace kg::controller {

inline constexpr uint32_t kEventsPerSecond = 10;
inline constexpr uint32_t kEventsTogether = 50;          // after a pause
inline constexpr size_t kEventCallsMax = 2;              // open at a time
inline constexpr size_t kEventsWaitingMax = 20'000;      // of all objects
inline constexpr size_t kEventObjectsMax = 20'000;       // that are remembered
inline constexpr uint32_t kEventsAtOnce = 16;            // new ones of one object
inline constexpr uint32_t kEventEachMs = 60'000;         // then one
inline constexpr uint32_t kEventRepeatMs = 30 * 60'000;  // the API server keeps them for an hour
inline constexpr uint32_t kEventLookMs = 5'000;          // for what is due
inline constexpr size_t kEventNoteBytesMax = 1'024;      // as the API server takes it
inline constexpr size_t kEventInstanceBytesMax = 128;    // the same

class EventWriter {
 public:
  struct Options {
    std::string controller;  // what reports: "kernelgate.io/ingress"
    std::string instance;    // which of its processes
  };
  struct Sources {
    std::function<const std::vector<ingress::Finding>&(const ingress::ObjectRef&)> findings;
    // "": it is not there, or another controller's: nothing is written of it.
    std::function<std::string(const ingress::ObjectRef&)> uid;
  };
  EventWriter(event::EventLoop& loop, kube::Client& client, Options options, Sources sources);

  void set_leading(bool leads);
  // Its findings are others than before, or we have only begun to lead.
  void judged(const ingress::ObjectRef& ref);

  const kube::Writes::Counts& counts() const noexcept { return writes_.counts(); }
  size_t waiting() const noexcept { return writes_.waiting(); }
  // Objects whose findings found no place.
  uint64_t forgotten() const noexcept { return forgotten_; }

 private:
  // What is known of the Event on the server.
  enum class Step : uint8_t { kCreate, kRead, kCount };
  struct Said {
    Step step = Step::kCreate;
    uint64_t count = 0;   // of its series, once known
    uint64_t due_us = 0;  // 0: it is on its way
  };
  struct Record {
    std::string uid;
    std::map<std::string, Said> said;  // by the Event's name
    bool was_wrong = false;            // it had errors when it was judged last
    kube::Pace pace{uint64_t{kEventEachMs} * 1'000, kEventsAtOnce};
  };
  using Ref = ingress::ObjectRef;

  void look();
  void say_all(const Ref& ref, Record& record, const std::vector<ingress::Finding>& findings);
  void say_due(const Ref& ref, Record& record, uint64_t now_us);
  void say(const Ref& ref, const std::string& name);
  std::optional<kube::CallRequest> request_of(const Ref& ref, const std::string& name);
  bool on_reply(const Ref& ref, const std::string& name, const kube::Reply& reply);
  void on_written(const Ref& ref, const std::string& name, Said& said, uint64_t count);
  const ingress::Finding* finding_of(const Ref& ref, const Record& record,
                                     const std::string& name) const;
  std::string body_of(const Ref& ref, const Record& record, const std::string& name,
                      const ingress::Finding& finding) const;
  Said* find(const Ref& ref, const std::string& name);
  void log_failure(const Ref& ref, const kube::Reply& reply);

  event::EventLoop& loop_;
  const Options options_;
  const Sources sources_;
  kube::Writes writes_;
  event::Timer timer_;
  std::map<Ref, Record> records_;
  bool leads_ = false;
  std::optional<int> failed_status_;  // of the last one that failed, 0: no answer; said once
  uint64_t forgotten_ = 0;
};

}  // namespace kg::controller
