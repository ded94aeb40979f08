#include "proxy/base/buffer.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/assert.h"

namespace kg {
namespace {
constexpr size_t kFirstBytes = 2048;  // a small response head and body in one piece
}

void Buffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
  commit(bytes.size());
}

char* Buffer::reserve(size_t bytes) {
  if (capacity_ - end_ >= bytes) return bytes_.get() + end_;
  const size_t held = size();
  if (capacity_ >= held + bytes && begin_ >= held) {
    std::memcpy(bytes_.get(), bytes_.get() + begin_, held);
  } else {
    const size_t grown = std::max({kFirstBytes, capacity_ * 2, held + bytes});
    std::unique_ptr<char[]> larger(new char[grown]);
    if (held > 0) std::memcpy(larger.get(), bytes_.get() + begin_, held);
    bytes_ = std::move(larger);
    capacity_ = grown;
  }
  begin_ = 0;
  end_ = held;
  return bytes_.get() + end_;
}

void Buffer::commit(size_t bytes) noexcept {
  KG_ASSERT(capacity_ - end_ >= bytes);
  end_ += bytes;
}

void Buffer::consume(size_t bytes) noexcept {
  KG_ASSERT(bytes <= size());
  begin_ += bytes;
  if (begin_ == end_) clear();
}

void Buffer::clear() noexcept {
  bytes_.reset();
  capacity_ = begin_ = end_ = 0;
}

}  // namespace kg
