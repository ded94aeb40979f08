// Owned<T, free_fn>: a unique_ptr for C handles without extra size. The only place that frees them.
#pragma once

#include <memory>

namespace kg {

template <auto free_fn>
struct OwnedDeleter {
  template <class T>
  void operator()(T* handle) const noexcept {
    free_fn(handle);
  }
};

template <class T, auto free_fn>
using Owned = std::unique_ptr<T, OwnedDeleter<free_fn>>;

}  // namespace kg
