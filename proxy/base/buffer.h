// Buffer: contiguous bytes with a read end and a write end, for output that the peer has not taken.
//
// Owner:   one connection direction. Not thread-safe.
// Limits:  none of its own: whoever fills it stops at a bound of limits.h.
// Memory:  an empty Buffer holds none, so idle connections cost nothing.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace kg {

class Buffer {
 public:
  size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }
  std::string_view view() const noexcept { return {bytes_.get() + begin_, size()}; }

  void append(std::string_view bytes);
  // Room for at least `bytes` at the end; fill it, then commit() what was written.
  char* reserve(size_t bytes);
  void commit(size_t bytes) noexcept;
  // Drops bytes from the front; releases the memory when nothing is left.
  void consume(size_t bytes) noexcept;
  void clear() noexcept;

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace kg
