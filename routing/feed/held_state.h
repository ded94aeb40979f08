// HeldState: what a proxy holds of the feed, and the update that is coming in.
//
// An update is staged part by part and becomes the state as a whole or not at all: stage() takes a
// part, and once it says kReady, staged() is what would change; then accept() or discard(). Nothing
// is taken that is older than what is held, leaves something out, or ends in another digest.
// Owner:  the Subscriber. Thread: one. Pure.
// Limits: kItemsMax and kStateBytesMax, of what is held and of what is staged.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "routing/feed/message.h"
#include "routing/feed/state_digest.h"

namespace kg::feed {

enum class Staged : uint8_t {
  kMore,      // taken; parts are missing
  kReady,     // whole and right
  kOlder,     // than what is held: replayed, or of a former leader
  kGap,       // does not follow what is held, or a part is missing
  kTooLarge,  // beyond the limits
  kDiverged,  // the digest of what comes out is another one, or a key is there twice
};

class HeldState {
 public:
  const Version& version() const noexcept { return version_; }
  const Digest& digest() const noexcept { return digest_value_; }
  size_t items() const noexcept { return items_.size(); }
  size_t bytes() const noexcept { return bytes_; }
  // Everything, as an update of the whole: for the copy on disk.
  Content content() const;

  Staged stage(Update part);
  const Update& staged() const noexcept { return staged_; }
  void accept();
  void discard() noexcept;
  // Any version may come next. What is held stays until it does.
  void forget_version() noexcept { version_ = Version(); }

 private:
  Staged finish(const Digest& said);

  std::map<std::string, std::shared_ptr<const Item>, std::less<>> items_;
  size_t bytes_ = 0;
  StateDigest digest_;
  Digest digest_value_ = StateDigest().value();
  Version version_;
  uint64_t schema_ = kSchema;

  Update staged_;  // all parts so far
  bool staging_ = false;
  uint64_t next_part_ = 0;
  size_t staged_bytes_ = 0;
  StateDigest next_digest_;  // behind it
  size_t next_bytes_ = 0;
};

}  // namespace kg::feed
