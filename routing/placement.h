// Placement: which pod holds a kernel, judged from its id, from what is known of the pods, and from
// the lists of kernels that they give of themselves. Pure; any thread.
//
// A gateway holds its kernels in memory, and one that is asked for another's kernel deletes that
// kernel's record (domain J23). So an id goes to its holder or nowhere; no pod is ever asked
// whether it has one.
//
//   pod of the id      without replication          with replication
//   -----------------  ---------------------------  -------------------------------------------
//   the only pod       kGo                          kGo once confirmed there, else kRevive
//   listed, not gone   kGo                          kGo once confirmed there, else kRevive
//   gone               kGo where it is known to be  the same; then
//                      or listed; kNowhere once     kRevive at the ready pod that comes first by
//                      all lists are without it     rendezvous hash
//   none (foreign id)  kGo where it is known to be  kGo once confirmed there, else kRevive; never
//                      or listed, else kNowhere     re-homed but from a pod where it was known
//
// The pod of an id is the one that its tag names, the elder of two with one tag; only an id minted
// here has a tag. Gone is a pod that left the configuration, or that the health checks gave up. A
// pod that is listed and cannot be reached stays the holder: its kernels may live. Where no pod is
// left that is not gone, or a list could not be had, the answer is kUnsure: a wrong "no such
// kernel" would make its client throw it away.
//
//   kAskLists --(each pod that is not gone has said kHas, kHasNot or kFailed)--> any other step
//
// Confirmed: this worker has seen the pod answer for the id, and no restart of the pod was
// suspected since. A gateway that restarted in place has an empty memory; with replication one GET
// makes it load the kernel from the shared records, which interrupt and restart do not (J22).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace kg::routing {

// What a pod's own fresh list says of the id.
enum class Listed : uint8_t { kNotAsked, kHas, kHasNot, kFailed };

struct PodView {
  std::string_view name;
  uint32_t tag = 0;
  uint64_t restarts = 0;  // suspected so far
  bool gone = false;
  bool ready = true;  // takes new kernels
  Listed listed = Listed::kNotAsked;
};

// Where this worker last saw a pod answer for the id.
struct KnownAt {
  uint32_t pod = 0;  // index
  uint64_t restarts = 0;
};

struct PlacementQuery {
  std::string_view id;
  std::optional<uint32_t> tag;  // of the pod; nullopt: not minted here
  std::optional<KnownAt> known;
  bool replication = false;
};

struct Placement {
  enum class Step : uint8_t {
    kGo,        // to `pod`
    kRevive,    // to `pod`, after one GET /api/kernels/{id} there
    kAskLists,  // of each pod that is neither gone nor asked, then again
    kNowhere,   // no such kernel
    kUnsure,    // nobody can say now
  };
  Step step = Step::kUnsure;
  uint32_t pod = 0;  // kGo, kRevive: index
  const char* why = "";
  bool lost = false;  // kNowhere: with its pod

  bool is_at(uint32_t index) const noexcept {
    return (step == Step::kGo || step == Step::kRevive) && pod == index;
  }
};

// `pods`: those of the endpoint, in its order; not empty.
Placement place(const PlacementQuery& query, std::span<const PodView> pods);

// The elder of those with that tag.
std::optional<uint32_t> pod_with_tag(uint32_t tag, std::span<const PodView> pods) noexcept;

}  // namespace kg::routing
