#include "proxy/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace kg {
void assert_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "kernelgate: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}
}  // namespace kg
