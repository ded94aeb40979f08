#include "proxy/server/allocator.h"

#ifdef KG_JEMALLOC
#include <jemalloc/jemalloc.h>

// Read by jemalloc before main(). Pages go back one second after their last use, also those of
// threads that are idle then: a background thread sees to it.
extern "C" const char* malloc_conf;
const char* malloc_conf =
    "background_thread:true,max_background_threads:1,dirty_decay_ms:1000,muzzy_decay_ms:0";
#endif

namespace kg::server {

void release_thread_memory() noexcept {
#ifdef KG_JEMALLOC
  mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
#endif
}

}  // namespace kg::server
