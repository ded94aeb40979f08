// KeySource: where an authenticator's public keys come from, as they are now: a file that may
// change under us, or an issuer's URL.
//
// Owner:  the authenticators that use it, shared. Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "auth/key_set.h"

namespace kg::auth {

class KeySource {
 public:
  KeySource() = default;
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;
  virtual ~KeySource() = default;

  // Null: there are none yet, or none that may still be believed.
  virtual std::shared_ptr<const KeySet> keys() const = 0;
  // Another one whenever a key was withdrawn: what it had signed counts no more.
  virtual uint64_t generation() const noexcept = 0;
  // Would learn() bring newer keys? A file's are as new as they can be.
  virtual bool may_learn() const noexcept { return false; }
  // Then `done`, at once or on another thread.
  virtual void learn(const std::function<void()>& done) { done(); }
  // Are keys() the last word? If not, an unknown kid proves nothing.
  virtual bool is_current() const noexcept { return true; }
};

// Keys that came as a text and stay as they are.
class HeldKeys final : public KeySource {
 public:
  explicit HeldKeys(std::shared_ptr<const KeySet> keys) : keys_(std::move(keys)) {}
  std::shared_ptr<const KeySet> keys() const override { return keys_; }
  uint64_t generation() const noexcept override { return 1; }

 private:
  std::shared_ptr<const KeySet> keys_;
};

}  // namespace kg::auth
