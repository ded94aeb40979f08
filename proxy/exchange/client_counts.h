// ClientCounts: how much each client address holds at this moment, over all workers.
//
// A table of fixed size. An address's place is a slot of one of two buckets, each of them one
// cache line of 8 slots; a slot is one atomic word of a keyed tag and a count, free when the count
// is 0. Owner:  Admission. Thread: any; no lock, one read-modify-write when something begins and
// one when it ends. Limits: kClientSlots addresses at a time. A newcomer whose 16 slots are all
// taken passes uncounted: so many other addresses are at work that none of them is the problem. Two
// workers that meet a new address at one instant may give it two slots for as long as both are
// held, and twice its bound.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace kg::exchange {

using AddressBytes = std::array<unsigned char, 16>;  // event::SocketAddress::bytes16

class ClientCounts {
  using Slot = std::atomic<uint64_t>;

 public:
  static constexpr size_t kClientSlots = size_t{1} << 16;

  // One counted thing; gives its place back when it is destroyed. Empty: nothing was counted.
  class Hold {
   public:
    Hold() = default;
    explicit Hold(Slot* slot) noexcept : slot_(slot) {}
    Hold(Hold&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { release(); }

   private:
    void release() noexcept;
    Slot* slot_ = nullptr;
  };

  ClientCounts();
  // Nothing when the address holds `most` already. IPv6 addresses count by their /64, which is
  // what one client is given (RFC 6177).
  std::optional<Hold> take(AddressBytes address, uint32_t most) noexcept;

 private:
  struct alignas(64) Bucket {
    std::array<Slot, 8> slots{};
  };
  static constexpr size_t kBuckets = kClientSlots / 8;

  uint64_t hash(const AddressBytes& address) const noexcept;

  std::array<uint64_t, 2> key_{};  // secret: nobody aims addresses at one bucket
  std::unique_ptr<std::array<Bucket, kBuckets>> buckets_;
};

}  // namespace kg::exchange
